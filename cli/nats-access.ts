/** What the variables say of a NATS server that somebody else runs, beside its address. */
import { CliFailure } from "./failure.ts";

export interface OwnNatsAccess {
  /** An nkey seed or the content of a `.creds` file. */
  readonly creds?: string;
  /** Certificates of the servers' authority, in PEM. */
  readonly ca?: string;
  /** Copies of each stream that is made. */
  readonly replicas?: number;
}

/** @throws CliFailure naming the variable that is not valid */
export const natsAccessOf = ({ NATS_CREDS, NATS_CA, NATS_REPLICAS }: NodeJS.ProcessEnv): OwnNatsAccess => ({
  ...(NATS_CREDS && { creds: NATS_CREDS }),
  ...(NATS_CA && { ca: NATS_CA }),
  ...(NATS_REPLICAS && { replicas: replicasOf(NATS_REPLICAS) }),
});

const replicasOf = (text: string): number => {
  if (/^[1-5]$/.test(text)) return Number(text);
  throw new CliFailure(`cannot use NATS_REPLICAS "${text}": expected a whole number from 1 to 5`);
};
