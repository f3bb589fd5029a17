import { expect, test } from "vitest";
import { sendSpansTo } from "./send-spans-to.ts";

const spans = () => new Request("http://monitor/v1/traces", { method: "POST", body: "{}" });

const recordingFetch = () => {
  const seen: Request[] = [];
  const fetch = async (request: Request) => {
    seen.push(request);
    return new Response("{}");
  };
  return { seen, fetch };
};

test("without an endpoint spans go to the monitor", async () => {
  const { seen, fetch } = recordingFetch();
  await sendSpansTo({ monitor: { fetch }, endpoint: undefined })(spans());
  expect(seen.map(({ url }) => url)).toEqual(["http://monitor/v1/traces"]);
});

test.each(["https://collector:4318", "https://collector:4318/"])(
  "the endpoint %s takes the monitor's place",
  async (endpoint) => {
    const { seen, fetch } = recordingFetch();
    const monitor = { fetch: () => Promise.reject(new Error("the monitor was asked")) };
    await sendSpansTo({ monitor, endpoint, fetch })(spans());
    expect(seen.map(({ url, method }) => `${method} ${url}`)).toEqual([
      "POST https://collector:4318/v1/traces",
    ]);
    expect(await seen[0]?.text()).toBe("{}");
  },
);

test("metrics go to the endpoint under their own path", async () => {
  const { seen, fetch } = recordingFetch();
  const metrics = new Request("http://monitor/v1/metrics", { method: "POST", body: "{}" });
  await sendSpansTo({ endpoint: "https://collector:4318", fetch })(metrics);
  expect(seen.map(({ url }) => url)).toEqual(["https://collector:4318/v1/metrics"]);
});

test("headers are percent-decoded, malformed ones are left out", async () => {
  const { seen, fetch } = recordingFetch();
  const headers = "Authorization=Basic%20abc=, x-team = shop ,,nonsense";
  await sendSpansTo({ endpoint: "https://collector", headers, fetch })(spans());
  expect(seen[0]?.headers.get("authorization")).toBe("Basic abc=");
  expect(seen[0]?.headers.get("x-team")).toBe("shop");
});

test("an endpoint that is no URL is named in the error", async () => {
  await expect(sendSpansTo({ endpoint: "collector" })(spans())).rejects.toThrow('"collector"');
});

test("no destination at all is an error that says what to set", async () => {
  await expect(sendSpansTo({})(spans())).rejects.toThrow("OTEL_EXPORTER_OTLP_ENDPOINT");
});
