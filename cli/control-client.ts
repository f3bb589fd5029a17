/** What the command line and a local start ask of the control plane, typed: its HTTP interface behind the gateway. */
import { type ControlAddress, type ControlCall, callControl } from "./control-call.ts";

export interface InstanceRegistration {
  readonly version: string;
  readonly binding?: string;
  readonly url?: string;
  readonly zone?: string;
  readonly weight?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly ttlSeconds?: number;
}

/** @param address where the control plane is, and as whom it is asked; every call is bounded, and refused as a CliFailure */
export const controlClient = (address: ControlAddress) => {
  const call = (path: string, options: ControlCall = {}) => callControl(address, path, options);

  return {
    /** @returns nothing; the same registration again changes nothing */
    registerInstance: async (
      service: string,
      id: string,
      registration: InstanceRegistration,
    ): Promise<void> => {
      await call(pathOf("registry", service, "instances", id), { method: "PUT", body: registration });
    },
    /** @param schema JSON Schema 2020-12 of the service's configuration */
    declareSchema: async (service: string, schema: object): Promise<void> => {
      await call(pathOf("schemas", service), { method: "PUT", body: schema });
    },
  };
};

export type ControlClient = ReturnType<typeof controlClient>;

const pathOf = (...segments: readonly string[]): string => `/${segments.map(encodeURIComponent).join("/")}`;
