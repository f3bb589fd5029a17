/** `/docs`: the page with the viewer, and the viewer's files. */
import { type Context, Hono } from "hono";
import { allowedMethods } from "#shared/http/allowed-methods.ts";
import { PLATFORM_PROBLEMS } from "#shared/http/errors.ts";
import { problemResponse } from "#shared/http/problem.ts";
import { DocsPage, docsPageHeaders } from "./docs-page.tsx";
import { type ViewerFiles, type ViewerTexts, viewerFileAnswer, viewerFiles } from "./viewer-files.ts";

export const docsApp = (texts: ViewerTexts): Hono => {
  /** Found by the first request that is through with it: digests take some milliseconds. */
  let known: ViewerFiles | undefined;
  const files = async (): Promise<ViewerFiles> => {
    known ??= await viewerFiles(texts);
    return known;
  };

  const app = new Hono();
  app.get("/healthz", (c) => c.json({ service: "docs", healthy: true }));
  app.get("/readyz", (c) => c.json({ service: "docs", ready: true, checks: [] }));
  app.get("/docs/", (c) => c.redirect(`/docs${new URL(c.req.url).search}`));
  app.get("/docs", async (c) => {
    const nonce = crypto.randomUUID();
    const page = DocsPage({ files: await files(), nonce });
    return c.html(`<!doctype html>${page}`, 200, docsPageHeaders(nonce));
  });
  app.get("/docs/files/:digest/viewer.js", async (c) =>
    viewerFileAnswer((await files()).script, c.req.param("digest"), c.req.raw),
  );
  app.get("/docs/files/:digest/viewer.css", async (c) =>
    viewerFileAnswer((await files()).style, c.req.param("digest"), c.req.raw),
  );
  app.notFound((c) => refuseUnknown(c, allowedMethods(app.routes, c.req.path)));
  app.onError((_, c) =>
    problemResponse({ code: "internal_error", detail: "The request was not completed." }, PLATFORM_PROBLEMS, {
      instance: c.req.path,
    }),
  );
  return app;
};

const refuseUnknown = (c: Context, allowed: readonly string[]): Response => {
  const path = JSON.stringify(c.req.path.slice(0, 200));
  const instance = c.req.path;
  if (allowed.length === 0 || allowed.includes(c.req.method)) {
    const detail = `Looking for ${path}: no such address.`;
    return problemResponse({ code: "not_found", detail }, PLATFORM_PROBLEMS, { instance });
  }
  const allow = allowed.join(", ");
  const detail = `Calling ${c.req.method} on ${path}: expected one of ${allow}.`;
  return problemResponse({ code: "method_not_allowed", detail }, PLATFORM_PROBLEMS, {
    instance,
    headers: { allow },
  });
};
