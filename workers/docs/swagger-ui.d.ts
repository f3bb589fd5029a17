/** The viewer's files are bundled as texts (`with { type: "text" }`), which the compiler cannot know of a package. */
declare module "@fastify/swagger-ui/static/swagger-ui-bundle.js" {
  const text: string;
  export default text;
}

declare module "@fastify/swagger-ui/static/swagger-ui.css" {
  const text: string;
  export default text;
}
