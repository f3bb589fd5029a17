/** Tells a client's browser which instance has answered, so that its next request goes there. */
import { stickySetCookie } from "#shared/resilience/balance/sticky.ts";
import { type Exchange, editAnswer } from "../exchange.ts";
import { isFailure } from "./failure.ts";
import type { Target } from "./target.ts";

export interface StickyAnswer {
  readonly answer: Response;
  /** Whose it is. */
  readonly target: Target;
  readonly cookie: string;
  /** The cookie's value in the request. */
  readonly had: string | undefined;
}

/** Of a failure nothing is said: nobody is bound to who does not work. The answer itself stays as it is, for caches. */
export const stickTo = (exchange: Exchange, { answer, target, cookie, had }: StickyAnswer): void => {
  if (isFailure(answer)) return;
  const secure = exchange.request.url.startsWith("https:");
  const value = stickySetCookie(cookie, target, { had, secure });
  if (value !== undefined) editAnswer(exchange, { kind: "append", name: "set-cookie", value });
};
