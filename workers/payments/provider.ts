/** The payment provider as payments sees it: authorise once per order, void by order; over HTTP, each within a deadline. */
import * as z from "zod";
import type { Failure } from "#shared/http/errors.ts";
import type { Money } from "#shared/http/schemas.ts";
import type { Upstream } from "#shared/http/upstream.ts";
import { err, ok, type Result } from "#shared/result.ts";

export type AuthorisationAnswer =
  | { readonly outcome: "authorised"; readonly authorisationId: string }
  /** Nothing is authorised, and nothing will be: also when the order was voided at the provider before. */
  | { readonly outcome: "declined"; readonly detail: string };

export type ProviderFailure = Failure<"provider_failed">;

export interface PaymentProvider {
  /** The same order again gets the first answer. A failure leaves open whether anything was authorised. */
  authorise(orderId: string, amount: Money): Promise<Result<AuthorisationAnswer, ProviderFailure>>;
  /** Voids an authorisation; voiding again is a success. */
  void(authorisationId: string): Promise<Result<undefined, ProviderFailure>>;
  /** Voids what was authorised for the order, known here or not, and whatever a late request would authorise. */
  voidOrder(orderId: string): Promise<Result<undefined, ProviderFailure>>;
}

const authorisedBody = z.object({ authorisationId: z.string().min(1).max(200) });
const declinedBody = z.object({ detail: z.string().max(1_000) });

/** Where the provider really is, the upstream knows. */
const ORIGIN = "http://payment-provider";

/** @param deadline makes the signal that ends one request when it takes too long */
export const httpPaymentProvider = (upstream: Upstream, deadline: () => AbortSignal): PaymentProvider => {
  const send = async <T>(
    doing: string,
    [path, init]: [path: string, init: RequestInit],
    read: (response: Response) => Promise<T | undefined>,
  ): Promise<Result<T, ProviderFailure>> => {
    try {
      const response = await upstream.fetch(new Request(`${ORIGIN}${path}`, { ...init, signal: deadline() }));
      const value = await read(response);
      if (value !== undefined) return ok(value);
      await response.body?.cancel();
      return err(failed(doing, `it answered ${response.status}`));
    } catch (thrown) {
      return err(failed(doing, thrown instanceof Error ? thrown.message : String(thrown)));
    }
  };

  /** 404 is as good: then there is nothing to void. */
  const voided = async ({ status }: Response) =>
    status === 204 || status === 404 ? ("voided" as const) : undefined;

  const remove = async (doing: string, path: string): Promise<Result<undefined, ProviderFailure>> => {
    const sent = await send(doing, [path, { method: "DELETE" }], voided);
    return sent.ok ? ok(undefined) : sent;
  };

  return {
    authorise: (orderId, { amount, currency }) => {
      const init = {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": orderId },
        body: JSON.stringify({ orderId, amount, currency }),
      };
      return send(`authorise the payment of order "${orderId}"`, ["/authorisations", init], answerOf);
    },
    void: (authorisationId) =>
      remove(
        `void the authorisation "${authorisationId}"`,
        `/authorisations/${encodeURIComponent(authorisationId)}`,
      ),
    voidOrder: (orderId) =>
      remove(
        `void the payment of order "${orderId}"`,
        `/authorisations?idempotencyKey=${encodeURIComponent(orderId)}`,
      ),
  };
};

/** Undefined for everything that is no answer to the question: 5xx, a refused request, a body of another form. */
const answerOf = async (response: Response): Promise<AuthorisationAnswer | undefined> => {
  switch (response.status) {
    case 201: {
      const { data } = authorisedBody.safeParse(await response.json());
      return data && { outcome: "authorised", authorisationId: data.authorisationId };
    }
    case 402:
    case 409: {
      const { data } = declinedBody.safeParse(await response.json());
      return data && { outcome: "declined", detail: data.detail };
    }
    default:
      return undefined;
  }
};

const failed = (doing: string, reason: string): ProviderFailure => ({
  code: "provider_failed",
  detail: `Asking the payment provider to ${doing}: ${reason}; expected an answer of 201, 204 or 402.`,
});
