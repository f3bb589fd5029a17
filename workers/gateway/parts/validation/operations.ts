/** The operations of a document, found by method and path; what each asks for is compiled when it is first needed. */
import { documentNames } from "../../documents/document-names.ts";
import {
  entriesOf,
  isJsonObject,
  type JsonObject,
  type ServiceDocument,
} from "../../documents/service-document.ts";
import { boundedCheck, type Check } from "./bounded-check.ts";
import { resolved } from "./document-places.ts";
import { type MediaTypes, mediaTypes } from "./media-types.ts";
import { type CheckParameters, parameterChecks } from "./parameter-checks.ts";
import { pathTemplates } from "./path-templates.ts";

export interface CheckedContent {
  readonly types: MediaTypes;
  /** By a declared media type; undefined for one that says nothing of a form. */
  check(type: JsonObject): Check | undefined;
}

export interface CheckedBody extends CheckedContent {
  readonly required: boolean;
}

export interface CheckedOperation {
  readonly parameters: CheckParameters;
  /** Undefined where the document says nothing of a body. */
  readonly body: CheckedBody | undefined;
  /** What is declared for a status; undefined for one that is not. */
  answer(status: number): CheckedContent | undefined;
}

export interface FoundOperation {
  readonly operation: CheckedOperation;
  readonly params: ReadonlyMap<string, string>;
}

export type FindOperation = (method: string, path: string) => FoundOperation | undefined;

export const operationsOf = (own: Pick<ServiceDocument, "service" | "major" | "document">): FindOperation => {
  const { document } = own;
  const names = documentNames({ ...own, characters: 0, digest: "" }, undefined);
  const items = entriesOf(document.paths).flatMap(([path, value]): [string, JsonObject][] => {
    const moved = names.path(path);
    const item = resolved(document, value);
    return moved === undefined || !item ? [] : [[moved, item]];
  });
  const find = pathTemplates(items);
  const made = new WeakMap<JsonObject, CheckedOperation>();

  return (method, path) => {
    const found = find(path);
    if (!found) return undefined;
    const item = found.value;
    const name = method.toLowerCase();
    const declared = item[name] ?? (name === "head" ? item.get : undefined);
    if (!Object.hasOwn(METHODS, name) || !isJsonObject(declared)) return undefined;
    let operation = made.get(declared);
    if (!operation) {
      operation = checkedOperation(document, item, declared);
      made.set(declared, operation);
    }
    return { operation, params: found.params };
  };
};

const METHODS = { get: 1, put: 1, post: 1, delete: 1, head: 1, patch: 1, options: 1, trace: 1 };

const checkedOperation = (document: JsonObject, item: JsonObject, declared: JsonObject): CheckedOperation => {
  const parameters = [item.parameters, declared.parameters].flatMap((list) =>
    Array.isArray(list) ? list : [],
  );
  const body = resolved(document, declared.requestBody);
  const answers = new Map(entriesOf(declared.responses));
  const contents = new Map<string, CheckedContent>();
  return {
    parameters: parameterChecks(document, parameters),
    body: body && {
      ...checkedContent(document, body.content, "request"),
      required: body.required === true,
    },
    answer(status) {
      const key = [`${status}`, `${`${status}`[0]}XX`, `${`${status}`[0]}xx`, "default"].find((each) =>
        answers.has(each),
      );
      if (key === undefined) return undefined;
      let content = contents.get(key);
      if (!content) {
        content = checkedContent(document, resolved(document, answers.get(key))?.content, "answer");
        contents.set(key, content);
      }
      return content;
    },
  };
};

const checkedContent = (document: JsonObject, content: unknown, of: "request" | "answer"): CheckedContent => {
  const checks = new WeakMap<JsonObject, Check>();
  return {
    types: mediaTypes(content),
    check(type) {
      if (type.schema === undefined) return undefined;
      let check = checks.get(type);
      if (!check) {
        check = boundedCheck({ document, schema: type.schema, of });
        checks.set(type, check);
      }
      return check;
    },
  };
};
