/** Carries the control plane's epoch beside the trace context, on every internal hop, Actor call and commit. */
import type { Context, TextMapGetter, TextMapPropagator, TextMapSetter } from "@opentelemetry/api";
import { EPOCH_FIELD } from "#shared/control/epoch-field.ts";

/** The isolate's own epoch, and whoever wants to hear of others'. */
export interface Epochs {
  /** 0 for none: then nothing is told. */
  current(): number;
  saw(epoch: number): void;
}

/** Whole numbers that count exactly; all else is no epoch. */
const EPOCH = /^[0-9]{1,15}$/;

/**
 * The propagator `beside` and the epoch with it. What a carrier throws is thrown on, other than by OpenTelemetry's composite:
 * who injects into headers that cannot be changed has to know. Every request passes here: the text of an epoch is made once,
 * and an epoch that was just read is not read again.
 */
export const epochPropagator = (beside: TextMapPropagator, epochs: Epochs): TextMapPropagator => {
  let told = { epoch: 0, text: "" };
  let heard: string | undefined;

  return {
    inject<Carrier>(context: Context, carrier: Carrier, setter: TextMapSetter<Carrier>): void {
      beside.inject(context, carrier, setter);
      const epoch = epochs.current();
      if (epoch === 0) return;
      if (epoch !== told.epoch) told = { epoch, text: `${epoch}` };
      setter.set(carrier, EPOCH_FIELD, told.text);
    },
    extract<Carrier>(context: Context, carrier: Carrier, getter: TextMapGetter<Carrier>): Context {
      const text = getter.get(carrier, EPOCH_FIELD);
      if (typeof text === "string" && text !== heard) {
        heard = text;
        if (EPOCH.test(text)) epochs.saw(Number(text));
      }
      return beside.extract(context, carrier, getter);
    },
    fields: () => [...beside.fields(), EPOCH_FIELD],
  };
};
