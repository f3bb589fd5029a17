/** Sets, appends and removes headers of the request that goes on and of the answer. */
import { type Exchange, editAnswer, editOnward, type HeaderEdit, type Part } from "../../exchange.ts";
import type { WrittenHeaderEdits } from "./header-edits-schema.ts";

type Edits = NonNullable<WrittenHeaderEdits["request"]>;
type Make = (params: Exchange["params"]) => HeaderEdit;

const SWITCHING_PROTOCOLS = 101;

export const headerEdits = (written: WrittenHeaderEdits): Part => {
  const onRequest = editsOf(written.request ?? {});
  const onAnswer = editsOf(written.answer ?? {});
  return (next) =>
    async function headerEdits(exchange) {
      for (const make of onRequest) editOnward(exchange, make(exchange.params));
      const answer = await next(exchange);
      if (answer.status === SWITCHING_PROTOCOLS) return answer;
      for (const make of onAnswer) editAnswer(exchange, make(exchange.params));
      return answer;
    };
};

const editsOf = ({ remove = [], set = {}, append = {} }: Edits): Make[] => [
  ...remove.map((name) => made({ kind: "remove", name, value: "" })),
  ...Object.entries(set).map(([name, value]) => made({ kind: "set", name, value })),
  ...Object.entries(append).map(([name, value]) => made({ kind: "append", name, value })),
];

const PARAMETER = /\{([A-Za-z_][A-Za-z0-9_]*)\}/;

const made = (edit: HeaderEdit): Make => {
  // Texts and names of parameters by turns.
  const pieces = edit.value.split(PARAMETER);
  if (pieces.length === 1) return () => edit;
  return (params) => {
    const filled = pieces.map((piece, index) => (index % 2 === 0 ? piece : encoded(params, piece)));
    return { ...edit, value: filled.join("") };
  };
};

/** Percent-encoded, because the client chose it: it may hold line ends. Lone surrogates have no encoding. */
const encoded = (params: Exchange["params"], name: string): string =>
  Object.hasOwn(params, name) ? encodeURIComponent((params[name] ?? "").toWellFormed()) : "";
