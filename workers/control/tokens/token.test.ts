import { afterEach, expect, test, vi } from "vitest";
import { newToken, presentedToken } from "./token.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

test("a token's id begins with a letter, whatever the dice say, so that it is no option to a command line", async () => {
  for (let byte = 0; byte < 256; byte++) {
    vi.spyOn(crypto, "getRandomValues").mockImplementation((array) => {
      if (array instanceof Uint8Array) array.fill(byte);
      return array;
    });
    const { id, token } = await newToken();
    expect(id).toMatch(/^[A-Za-z]/);
    expect(await presentedToken(token)).toMatchObject({ id });
  }
});
