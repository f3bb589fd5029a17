/** Holds that what is none of the platform's answers is never taken for one. */
import { expect, test } from "vitest";
import { answeredItems, answeredObject } from "./service-answer.ts";

interface Named {
  readonly name: string;
}

test.each(["", "<h1>Welcome</h1>", "null", "7", "[]", '{"stars":5}', '{"name":7}'])("%j is none", (text) => {
  expect(answeredObject<Named>(text, "name")).toBeUndefined();
  expect(answeredItems<Named>(text, "name")).toEqual([]);
});

test.each(['{"items":5}', '{"items":[5, null, {"stars":5}]}'])("%j has none", (text) => {
  expect(answeredItems<Named>(text, "name")).toEqual([]);
});

test("one that has the field is, with all that it says", () => {
  expect(answeredObject<Named>('{"name":"a","b":1}', "name")).toEqual({ name: "a", b: 1 });
  expect(answeredItems<Named>('{"items":[{"name":"a","b":1}]}', "name")).toEqual([{ name: "a", b: 1 }]);
});
