/** An export as it is sent: page by page, because all documents together may be more than the memory holds. */
import { stringify } from "yaml";
import type { Result } from "#shared/result.ts";
import type { DocumentName } from "../part.ts";
import type { ExportedDocument } from "./document.ts";
import type { Page } from "./read-documents.ts";

type Documents = Page<ExportedDocument>;
type Pages = AsyncIterable<readonly ExportedDocument[]>;

/** Each page as it stands when it is read. */
export async function* pagesFrom(
  first: Documents,
  next: (after: DocumentName) => Promise<Result<Documents, never>>,
): Pages {
  for (let page = first; ; ) {
    yield page.items;
    const last = page.items.at(-1);
    if (!page.more || !last) return;
    const found = await next({ service: last.service, profile: last.profile });
    if (!found.ok) return;
    page = found.value;
  }
}

/** `{"documents":[…]}` */
export async function* exportedJson(pages: Pages): AsyncIterable<string> {
  let before = '{"documents":[';
  for await (const documents of pages) {
    for (const document of documents) {
      yield before + JSON.stringify(document);
      before = ",";
    }
  }
  yield before === "," ? "]}" : `${before}]}`;
}

/** The same as YAML; a sequence may stand as far left as its key (YAML 1.2, section 8.2.2). */
export async function* exportedYaml(pages: Pages): AsyncIterable<string> {
  let before = "documents:\n";
  for await (const documents of pages) {
    if (documents.length > 0) yield before + stringify(documents);
    if (documents.length > 0) before = "";
  }
  if (before !== "") yield "documents: []\n";
}

/** Read as fast as the client takes it; what fails on the way breaks the answer off. */
export const streamed = (texts: AsyncIterable<string>): ReadableStream<Uint8Array> => {
  const encoder = new TextEncoder();
  const iterator = texts[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
  });
};
