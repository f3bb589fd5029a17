/** The process managers of all services, as `npx skerry processes` shows them. */
import type { AnyProcessManager } from "#shared/cqrs/process-manager.ts";
import { paymentTimeout } from "#workers/orders/processes/payment-timeout.ts";

export const PROCESS_MANAGERS: readonly AnyProcessManager[] = [paymentTimeout];
