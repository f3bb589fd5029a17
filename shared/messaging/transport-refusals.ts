/** Why a transport could not carry a message; the same words for every one of them. */
import type { Failure } from "../http/errors.ts";
import { err } from "../result.ts";

const unavailable = (detail: string): { ok: false; error: Failure } => err({ code: "unavailable", detail });

export const noConnection = (address: string) =>
  unavailable(`Sending "${address}": the message server is not reachable.`);

export const nobodyAnswers = (address: string) =>
  unavailable(`Asking "${address}": nobody is there to answer.`);

export const tooLate = (address: string, timeoutMs: number) =>
  unavailable(`Asking "${address}": no answer came within ${timeoutMs} ms.`);

export const tooBusy = (address: string) =>
  unavailable(`Asking "${address}": more is waiting already than can be handled.`);
