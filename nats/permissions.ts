/** What each user of the NATS server may do, from what the services declare: whatever is not named is not allowed. */
import { LOG_SERVICES, type LogService } from "./streams.ts";
import {
  CONTROL_USER,
  DEPLOY_USER,
  EPOCH_SUBJECT,
  inboxPrefix,
  logStream,
  logSubjects,
  messageSubject,
  PROCESS_USER,
  snapshotStream,
  snapshotSubjects,
} from "./subjects.ts";

export interface UserPermissions {
  readonly user: string;
  /** For whoever reads the configuration. */
  readonly purpose: string;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  /** Whether it may answer once, wherever it is told to, for each message that came to it within two minutes. */
  readonly responds?: boolean;
}

const api = (request: string): string => `$JS.API.${request}`;

/** What a stream is read by: its state, single messages, and ephemeral consumers. Nothing of this changes it. */
const reading = (stream: string): string[] => [
  api(`STREAM.INFO.${stream}`),
  api(`STREAM.MSG.GET.${stream}`),
  api(`DIRECT.GET.${stream}`),
  api(`DIRECT.GET.${stream}.>`),
  api(`CONSUMER.CREATE.${stream}`),
  api(`CONSUMER.CREATE.${stream}.>`),
  api(`CONSUMER.INFO.${stream}.*`),
  api(`CONSUMER.MSG.NEXT.${stream}.*`),
  api(`CONSUMER.DELETE.${stream}.*`),
];

const inbox = (user: string): string => `${inboxPrefix(user)}.>`;

/** A service writes its own log and reads it and those that it follows; its snapshots are its own alone. */
export const servicePermissions = ({
  service,
  follows,
  snapshots,
  messages: { publishes = [], hears = [], asks = [], answers = [] } = {},
}: LogService): UserPermissions => ({
  user: service,
  purpose: `writes log "${service}", reads it${follows.map((other) => ` and "${other}"`).join("")}`,
  publish: [
    logSubjects(service),
    api("INFO"),
    ...[service, ...follows].map(logStream).flatMap((stream) => reading(stream)),
    ...(snapshots ? [snapshotSubjects(service), api(`STREAM.MSG.GET.${snapshotStream(service)}`)] : []),
    ...[...publishes, ...asks].map(messageSubject),
  ],
  subscribe: [inbox(service), EPOCH_SUBJECT, ...[...hears, ...answers].map(messageSubject)],
  ...(answers.length > 0 && { responds: true }),
});

/** Makes and changes streams, and looks at them; no user may remove one or what is in it. */
const deployPermissions: UserPermissions = {
  user: DEPLOY_USER,
  purpose: "plans and applies streams",
  publish: ["INFO", "STREAM.NAMES", "STREAM.LIST", "STREAM.INFO.*", "STREAM.CREATE.*", "STREAM.UPDATE.*"]
    .concat("CONSUMER.NAMES.*", "CONSUMER.LIST.*", "CONSUMER.INFO.*.*")
    .map(api),
  subscribe: [inbox(DEPLOY_USER)],
};

/** All users of the server's account. */
export const allPermissions = (services: readonly LogService[] = LOG_SERVICES): UserPermissions[] => [
  ...services.map(servicePermissions),
  {
    user: CONTROL_USER,
    purpose: "tells of new epochs",
    publish: [EPOCH_SUBJECT],
    subscribe: [inbox(CONTROL_USER)],
  },
  {
    user: PROCESS_USER,
    purpose: "a service in a process of its own: hears of new epochs",
    publish: [],
    subscribe: [inbox(PROCESS_USER), EPOCH_SUBJECT],
  },
  deployPermissions,
];
