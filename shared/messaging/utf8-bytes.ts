/** How long a text is on the wire. */

const encoder = new TextEncoder();

export const utf8Bytes = (text: string): number => encoder.encode(text).length;
