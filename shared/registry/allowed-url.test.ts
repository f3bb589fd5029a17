import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkInstanceUrl } from "./allowed-url.ts";

const allows = (url: string, allowed: string) => checkInstanceUrl(url, allowed).ok;
const EVERYTHING = "*,*:*";

describe("a pattern", () => {
  test.each([
    ["api.example", "https://api.example"],
    ["api.example", "http://API.example."],
    ["api.example:8080", "http://api.example:8080/base"],
    ["api.example:*", "http://api.example:1"],
    ["*.example", "https://a.b.example"],
    [" other , API.Example ", "https://api.example"],
    ["bücher.example", "https://xn--bcher-kva.example"],
    ["10.0.0.7", "http://10.0.0.7"],
    ["10.0.0.*:8080", "http://10.0.0.255:8080"],
    ["10.0.*.*", "http://10.0.3.4"],
    ["127.0.0.1:8080", "http://2130706433:8080"],
    ["localhost:*", "http://localhost:3000"],
    ["db", "http://db"],
    ["[fd00::7]:*", "http://[FD00:0:0:0:0:0:0:7]:81"],
    ["[::1]", "http://[::1]"],
    ["*", "https://8.8.8.8"],
    ["*", "https://shop.example"],
    ["*", "https://[2606:4700::1]"],
  ])("%s allows %s", (allowed, url) => expect(allows(url, allowed)).toBe(true));

  test.each([
    ["", "https://api.example"],
    [",,", "https://api.example"],
    ["api.example", "https://api.example:8443"],
    ["api.example:443", "http://api.example"],
    ["api.example:", "https://api.example"],
    ["api.example", "https://api.example.evil"],
    ["api.example", "https://notapi.example"],
    ["*.example", "https://example"],
    ["*.example", "https://evilexample"],
    ["*.", "https://api.example"],
    ["*.*", "https://api.example"],
    ["*.0.0.1", "http://127.0.0.1"],
    ["api.*", "https://api.example"],
    ["10.0.0.*", "http://10.0.1.0"],
    ["10.0.0.*", "http://10.0.0.1.example"],
    ["1.*.*.*", "http://1.2.3.4"],
    ["*.*.*.*", "http://1.2.3.4"],
    ["localhost", "http://localhost.example"],
    ["127.0.0.1:8080", "http://127.0.0.1:8081"],
    ["[::1]", "http://[::2]"],
  ])("%j does not allow %s", (allowed, url) => expect(allows(url, allowed)).toBe(false));
});

describe("what only those nearby can reach is not meant by *:", () => {
  test.each([
    "http://127.0.0.1",
    "http://127.1",
    "http://2130706433",
    "http://0x7f.1",
    "http://0177.0.0.1",
    "http://127.0.0.1.",
    "http://①②⑦.⓪.⓪.①",
    "http://%31%32%37.0.0.1",
    "http://10.1.2.3",
    "http://172.31.255.255",
    "http://192.168.1.1",
    "http://100.64.0.1",
    "http://localhost",
    "http://LOCALHOST.",
    "http://a.localhost",
    "http://db",
    "http://printer.local",
    "http://db.internal",
    "http://[::1]",
    "http://[fd00::1]",
  ])("%s", (url) => expect(allows(url, EVERYTHING)).toBe(false));
});

describe("whatever the list says, nobody is registered at", () => {
  test.each([
    ["http://169.254.169.254/latest", "169.254.169.254"],
    ["http://2852039166", "169.254.169.254"],
    ["http://0xA9FEA9FE", "169.254.*.*"],
    ["http://0251.0376.0251.0376", "169.254.169.254"],
    ["http://169.254.169.254.", "169.254.169.254"],
    ["http://169.254.0.1", "169.254.0.1"],
    ["http://[::ffff:169.254.169.254]", "[::ffff:169.254.169.254]"],
    ["http://[::ffff:a9fe:a9fe]", "[::ffff:a9fe:a9fe]"],
    ["http://[::ffff:7f00:1]", "127.0.0.1,[::ffff:7f00:1]"],
    ["http://[::127.0.0.1]", "[::127.0.0.1]"],
    ["http://[64:ff9b::a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]"],
    ["http://[2002:a9fe:a9fe::]", "[2002:a9fe:a9fe::]"],
    ["http://[2001::1]", "[2001::1]"],
    ["http://100.100.100.200", "100.100.100.200"],
    ["http://168.63.129.16", "168.63.129.16"],
    ["http://[fd00:ec2::254]", "[fd00:ec2::254]"],
    ["http://[fd00:0ec2:0:0::0254]", "[fd00:ec2::254]"],
    ["http://metadata.google.internal", "metadata.google.internal,*.internal"],
    ["http://METADATA.google.internal.", "*.internal"],
    ["http://metadata", "metadata"],
    ["http://[fe80::1]", "[fe80::1]"],
    ["http://[febf::1]", "[febf::1]"],
    ["http://0.0.0.0", "0.0.0.0"],
    ["http://0", "0.0.0.0"],
    ["http://[::]", "[::]"],
    ["http://224.0.0.1", "224.0.0.1"],
    ["http://[ff02::1]", "[ff02::1]"],
    ["http://255.255.255.255", "255.255.255.255"],
    ["http://user@api.example", "api.example"],
    ["http://:secret@api.example", "api.example"],
    ["http://api.example@evil.example", "api.example"],
    ["http://api.example/?", "api.example"],
    ["http://api.example?x=1", "api.example"],
    ["http://api.example/#", "api.example"],
    ["http://api.example..", "api.example"],
    ["http://.api.example", "*.api.example"],
    ["ftp://api.example", "api.example:*"],
    ["file:///etc/passwd", "*"],
    ["javascript:alert(1)", "*"],
    ["data:text/plain,x", "*"],
    ["//api.example", "api.example"],
    ["api.example", "api.example"],
    ["", "*"],
    ["http://", "*"],
    ["http://[fe80::1%25eth0]", "*"],
    ["http://256.256.256.256", "*"],
    [`http://api.example/${"x".repeat(3_000)}`, "api.example"],
  ])("%s, with the list %j", (url, allowed) => {
    expect(allows(url, `${allowed},${EVERYTHING}`)).toBe(false);
  });
});

test("what looks like another host is judged by the host that the parser finds", () => {
  const found = checkInstanceUrl("http://api.example\\@evil.example", "api.example");
  expect(found.ok && found.value.hostname).toBe("api.example");
  expect(allows("http://evil.example\\@api.example", "api.example")).toBe(false);
  expect(allows("http://api.ex\tample", "api.example")).toBe(true);
});

test("a refusal names the URL, shortened, and what was expected", () => {
  const refused = checkInstanceUrl(`ftp://${"h".repeat(900)}`, "*");
  expect(refused).toEqual({
    ok: false,
    error: { detail: expect.stringMatching(/^Taking the URL "ftp:\/\/h{194}": expected http or https\.$/) },
  });
});

test("nothing makes it throw, and what it allows is a host that some pattern of the list describes", () => {
  const part = fc.constantFrom(
    ..."http https : / // @ \\ . .. a b api example localhost 127 0x7f 1 10 0 169 254 [ ] :: ffff % %2e 8080 * ? # , 。".split(
      " ",
    ),
  );
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.webUrl(),
    fc.domain().map((name) => `http://${name}.example`),
    fc.nat(0xffff).map((last) => `http://${0x0a000000 + last}`),
    fc.ipV4().map((ip) => `http://${ip}`),
    fc.ipV6().map((ip) => `http://[${ip}]`),
    fc.array(part, { maxLength: 12 }).map((parts) => `http://${parts.join("")}`),
  );
  let allowed = 0;
  fc.assert(
    fc.property(
      text,
      fc.oneof(
        fc.string(),
        fc.array(part).map((parts) => parts.join("")),
      ),
      (url, list) => {
        checkInstanceUrl(url, list);
        const found = checkInstanceUrl(url, "*.example:*,10.0.*.*:*,[fd00::1]:*");
        if (!found.ok) return;
        allowed += 1;
        expect(found.value.hostname).toMatch(/^.+\.example\.?$|^10\.0\.\d+\.\d+$|^\[fd00::1\]$/);
        expect(found.value.protocol).toMatch(/^https?:$/);
      },
    ),
    { numRuns: 3_000 },
  );
  expect(allowed).toBeGreaterThan(0);
});
