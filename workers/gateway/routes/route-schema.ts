/** A route beside those of the registry: the form in which operators say what it matches and where it leads. */
import * as z from "zod";
import { LIMITS } from "#shared/limits.ts";
import { parseMediaTypes } from "./media-type.ts";
import { parameterNames, parsePathPattern } from "./path-pattern.ts";

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
const token = () => z.string().regex(NAME);
const text = (least = 0) => z.string().min(least).max(1_024);
const share = () => z.number().min(0).max(1_000_000);
const oneOrSeveral = <Item extends z.ZodType>(item: Item, most: number) =>
  z.union([item, z.array(item).min(1).max(most)]);

const path = () =>
  z
    .string()
    .max(LIMITS.routePatternCharacters)
    .superRefine((written, context) => {
      const parsed = parsePathPattern(written);
      if (!parsed.ok) context.addIssue({ code: "custom", message: `expected ${parsed.error}` });
    });

const mediaType = () =>
  z
    .string()
    .max(256)
    .refine((written) => {
      const [parsed, ...more] = parseMediaTypes(written);
      return parsed !== undefined && more.length === 0 && parsed.type !== "*" && !parsed.parameters.has("q");
    }, "expected one media type, as application/json, text/* or text/html;level=1");

const value = () =>
  z.union([
    text(),
    z.strictObject({ present: z.boolean() }),
    z.strictObject({ prefix: text(1) }),
    z.strictObject({ not: text() }),
  ]);

const match = z
  .strictObject({
    path: oneOrSeveral(path(), LIMITS.routePaths)
      .optional()
      .describe("Patterns, of which one must fit; every path when absent."),
    host: z
      .string()
      .max(LIMITS.hostCharacters)
      .regex(/^(?:\*\.)?[0-9A-Za-z_-][0-9A-Za-z_.-]*$|^\[[0-9A-Fa-f:.]+\]$/)
      .optional()
      .describe("A host, or `*.` and a domain for all hosts below it; without port."),
    methods: z
      .array(z.string().regex(/^[A-Z]{1,20}$/))
      .min(1)
      .max(16)
      .optional()
      .describe("One of these; `GET` takes `HEAD`, too."),
    headers: z.record(token(), value()).optional().describe("What each of these headers must be."),
    query: z.record(text(1), value()).optional().describe("What the first parameter of each name must be."),
    cookies: z.record(token(), value()).optional().describe("What the first cookie of each name must be."),
    contentType: oneOrSeveral(mediaType(), 16)
      .optional()
      .describe("The body is of one of these media types, their parameters included; others may be there."),
    accept: oneOrSeveral(mediaType(), 16)
      .optional()
      .describe("`Accept` names one of these by itself; ranges such as `*/*` do not count."),
    weight: z
      .strictObject({
        group: text(1).describe("Routes of one group share what they match."),
        share: share().describe("How often this one is drawn, among the group's shares."),
      })
      .optional()
      .describe("Among the routes of a group one is drawn for each request; the others do not match."),
  })
  .refine(
    ({ headers, query, cookies }) =>
      [headers, query, cookies].reduce((sum, each) => sum + Object.keys(each ?? {}).length, 0) <=
      LIMITS.routeConditions,
    `expected at most ${LIMITS.routeConditions} conditions of headers, query and cookies together`,
  );

const weight = () => share().optional().describe("How often it is chosen among several; 1 when absent.");

const destination = z.union([
  z.strictObject({
    service: z
      .string()
      .min(1)
      .max(128)
      .regex(/^[^/\s]+$/)
      .describe("A service of the registry."),
    major: z.int().min(0).max(999_999_999).optional().describe("Its newest when absent."),
    weight: weight(),
  }),
  z.strictObject({
    url: z
      .string()
      .max(2_048)
      .regex(/^https?:\/\/[^\s/?#@\\]+(?:\/[^\s?#\\]*)?$/)
      .refine(URL.canParse, "expected a URL")
      .describe("http or https; the path is put behind it."),
    weight: weight(),
  }),
]);

const canary = z
  .strictObject({
    to: destination.describe("A destination."),
    percentage: z.number().min(0).max(100).optional().describe("Of the requests, or of the keys."),
    header: z
      .strictObject({ name: token(), value: text() })
      .optional()
      .describe("Who carries it goes there, whatever the percentage."),
    key: z
      .union([z.strictObject({ header: token() }), z.strictObject({ cookie: token() }), z.literal("client")])
      .optional()
      .describe("Requests of one key stay on one side; who has none is drawn for each request."),
  })
  .refine(
    ({ percentage, header }) => percentage !== undefined || header !== undefined,
    "expected a percentage or a header",
  )
  .refine(({ percentage, key }) => key === undefined || percentage !== undefined, "expected a percentage");

const rewrite = z.union([
  path().describe("The path that is sent: a template with the parameters of `path`, and `*` for its rest."),
  z.strictObject({
    stripPrefix: z.int().min(1).max(LIMITS.routeSegments).describe("Segments taken from the beginning."),
  }),
]);

const ownFields = {
  match: match.describe("What a request must be; all of it holds."),
  priority: z.int().min(-1_000_000).max(1_000_000).optional().describe("The higher one is looked at first."),
  to: oneOrSeveral(destination, LIMITS.routeDestinations).describe("Where requests go, by weight."),
  canary: canary.optional().describe("A share of the requests, or certain ones, go elsewhere."),
  rewrite: rewrite.optional().describe("Another path than the client's."),
};
const own = z.strictObject(ownFields);

/** As it is written, but for its policy. */
export type WrittenRoute = z.infer<typeof own>;
export type WrittenMatch = z.infer<typeof match>;
export type WrittenValue = z.infer<ReturnType<typeof value>>;
export type WrittenDestination = z.infer<typeof destination>;

/** One route under `routes.<name>`. @param policy the schema of a policy */
export const routeSchema = <Policy extends z.ZodType>(policy: Policy) =>
  z
    .strictObject({
      ...ownFields,
      policy: policy.optional().describe("Stronger than the service's, field by field."),
    })
    .superRefine((route, context) => {
      for (const { path, message } of faultsBetweenFields(route as WrittenRoute))
        context.addIssue({ code: "custom", path, message });
    });

export const listed = <Item>(written: Item | readonly Item[]): readonly Item[] =>
  Array.isArray(written) ? written : [written as Item];

interface FieldsFault {
  readonly path: string[];
  readonly message: string;
}

const faultsBetweenFields = ({ match, to, rewrite }: WrittenRoute): FieldsFault[] => {
  const faults: FieldsFault[] = [];
  if (listed(to).every((each) => each.weight === 0))
    faults.push({ path: ["to"], message: "expected one weight at least above 0" });
  const template = typeof rewrite === "string" ? parsePathPattern(rewrite) : undefined;
  if (!template?.ok) return faults;
  for (const written of listed(match.path ?? "/*")) {
    const pattern = parsePathPattern(written);
    if (!pattern.ok) continue;
    const names = parameterNames(pattern.value.segments);
    const missing = parameterNames(template.value.segments).filter((name) => !names.includes(name));
    const beyond = template.value.rest && !pattern.value.rest ? ["*"] : [];
    for (const name of [...missing, ...beyond])
      faults.push({ path: ["rewrite"], message: `expected no ${name}, which ${written} does not have` });
  }
  return faults;
};
