/** The worker behind `/docs`: what it is made of. */

import style from "@fastify/swagger-ui/static/swagger-ui.css" with { type: "text" };
import script from "@fastify/swagger-ui/static/swagger-ui-bundle.js" with { type: "text" };
import { docsApp } from "./docs-app.ts";

const app = docsApp({ script, style });

export default { fetch: (request) => app.fetch(request) } satisfies ExportedHandler;
