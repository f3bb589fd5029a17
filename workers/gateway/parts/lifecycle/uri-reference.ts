/** What may stand between `<` and `>` of a `Link` (RFC 8288 section 3). */

/** A path or an http(s) URL in ASCII. */
export const isUriReference = (text: string): boolean =>
  /^(?:https?:\/\/|\/)[!#$%&'()*+,\-./0-9:;=?@A-Z[\]_a-z~]*$/.test(text) && URL.canParse(text, "http://host");
