/** Every bound of the system in one table, with its unit in the name and its reason beside it. */
export const LIMITS = {
  /** A request body that a service reads; the largest sensible order (200 lines) is a tenth of it. */
  requestBodyBytes: 256 * 1024,
  /** A request body of a declared length that the gateway reads whole before it asks an instance: beyond it streaming costs less. */
  wholeBodyBytes: 16 * 1024,
  /** The largest body that a route may let through: the smallest plan of Cloudflare takes no larger ones. */
  routeBodyBytes: 100 * 1024 * 1024,
  /** A request's whole URL: what Cloudflare lets through; workerd alone takes 128 KiB. */
  urlCharacters: 16 * 1024,
  /** Header fields of a request, by name: ten times what browsers send, and a walk through all of them is microseconds. */
  requestHeaderFields: 256,
  /** All header fields of a request as HTTP/1.1 sends them: half of what Cloudflare lets through, four times a full cookie jar. */
  requestHeaderBytes: 64 * 1024,
  /** Times that a request may come through a gateway: none stands behind more of them, and each hop of a circle may try twice. */
  gatewayPasses: 5,
  /** A body that brings configuration: the largest document, beside what is said of it, or several small ones. */
  configBodyBytes: 2 * 1024 * 1024,
  /** Lines of one order: keeps a commit well under NATS' 1 MiB message. */
  orderLines: 200,
  /** Items of one page of a list. */
  pageItems: 100,
  /** One commit as a message; NATS' default max_payload is 1 MiB. */
  commitBytes: 900 * 1024,
  /** One value of a commit's metadata: ids of events grow by each step of a chain, and four of these are nothing to a message. */
  metadataCharacters: 1_024,
  /** A connection attempt to NATS. */
  natsConnectMs: 1_000,
  /** The longest pause after refused attempts: who comes after the server's return waits less than a second. */
  natsRefusedPauseMs: 500,
  /** A connection in use is replaced at this age: the platform keeps an Actor for its sake for 15 minutes. */
  natsRenewMs: 12 * 60_000,
  /** How long a replaced connection stays for what is under way on it: a tail lasts for one `pumpMs`, all else seconds. */
  natsRetireMs: 75_000,
  /** Letting what has arrived be handled before a connection is closed: a server that does not answer holds nobody up. */
  natsDrainMs: 1_000,
  /** One command in its Actor, from its coming to its answer, waiting for others included: 503 in under 2 s. */
  commandMs: 1_800,
  /** A command's wait for those before it on the same aggregate: what is left of `commandMs` is enough for an append. */
  commandQueueMs: 600,
  /** Commands in an Actor for one aggregate: done in 0.6 ms each they fill `commandQueueMs`, so others would wait in vain. */
  commandsWaiting: 1_000,
  /** One append, all its retries included, where the command's own time does not end sooner. */
  appendMs: 1_200,
  /** One request of a read to the log, as is the wait for its connection and for the next part of a long history. */
  readRequestMs: 700,
  /** A query's wait for `Skerry-Min-Position`. */
  positionWaitMs: 2_000,
  /** Decisions of one command when others keep coming first. */
  decisionsMax: 8,
  /** Folded states kept by one command Actor. */
  cachedAggregates: 10_000,
  /** Command ids that all of them remember together, at some 150 bytes each: several Actors share a worker's 128 MB. */
  cachedCommands: 50_000,
  /** Command ids remembered per folded aggregate, the newest. An Idempotency-Key is remembered apart from this. */
  rememberedCommands: 1_000,
  /** How long a command id is known at least, by the time of its events: what repeats a command for longer is broken. */
  commandIdMs: 24 * 60 * 60 * 1000,
  /** Ids beyond `rememberedCommands` that wait to be written into the Actor's SQLite together: one statement for all of them. */
  commandIdsTogether: 100,
  /** Between removals of ids that are older, a walk through all that the Actor keeps: an index would double each one's writes. */
  commandIdsSweepMs: 60 * 60 * 1000,
  /** Commits of one history read and folded at once; what is folded is kept when the time runs out, so that no history is too long. */
  foldSlice: 2_000,
  /** Snapshots that one Actor keeps in its SQLite, the oldest make room: as many as it keeps states in memory. */
  snapshotsKept: 10_000,
  /** The same in bytes: an Actor's SQLite has 10 GB. */
  snapshotsKeptBytes: 512 * 1024 * 1024,
  /** One snapshot as JSON with its command ids; a row of an Actor's SQLite has at most 2 MB. */
  snapshotBytes: 1024 * 1024,
  /** All snapshots of a service that are kept on the NATS server, the oldest make room. */
  snapshotStreamBytes: 1024 * 1024 * 1024,
  /** Command ids beyond `rememberedCommands` that such a snapshot carries, or it is not written: it has to fit into one message. */
  snapshotLogCommands: 10_000,
  /** A look for a snapshot on the NATS server, or its writing: folding the history is the other way. */
  snapshotRequestMs: 300,
  /** Lines of one file of an archive, before compression: a broken file costs so much at most, and is copied in seconds. */
  archivePartBytes: 256 * 1024 * 1024,
  /** One message of an archive: servers can be told to take up to 64 MiB, and take 1 MiB by default. */
  archivePayloadBytes: 8 * 1024 * 1024,
  /** One line of an archive: JSON may write a byte of a payload as six characters. */
  archiveLineBytes: 64 * 1024 * 1024,
  /** One message's acknowledgement during a restore, others before it in the queue. */
  archiveRequestMs: 10_000,
  /** Keys of data subjects that one Actor remembers, at some 300 bytes each. */
  subjectKeysCached: 10_000,
  /** One call to an Actor that keeps keys, which a read of the log waits for, and a command before its append. */
  subjectKeysMs: 700,
  /** How long an Actor that is not told of a forgetting goes on with the key: each one asks again so often. */
  subjectKeyCacheMs: 10_000,
  /** How long an Idempotency-Key is remembered. */
  idempotencyKeyMs: 24 * 60 * 60 * 1000,
  /** Commits that a projection applies in one transaction while catching up; 4 MB end one sooner. */
  projectionBatch: 2_000,
  /** Attempts of a commit before its projection parks it. */
  projectionAttempts: 3,
  /** That a take-over waits for readers of a Postgres table; meanwhile all later ones wait behind it. */
  takeOverLockMs: 1_000,
  /** Of a transaction that Postgres ends to free another one. */
  deadlockAttempts: 10,
  /** Between the looks of a projection that stands still until its read model is rebuilt. */
  projectionLookMs: 500,
  /** Transactions of one rebuild in one alarm, beside those of the standing read model: see `pumpSteps`. */
  rebuildSteps: 2_000,
  /** Between a projection's transactions once it has caught up: what comes meanwhile is written together. */
  projectionPauseMs: 20,
  /** Events that one process handles at once, those of one aggregate in order. */
  processConcurrency: 16,
  /** Commits that one process has taken and not finished: one aggregate's trouble must not hold up the others. */
  processBacklog: 1_000,
  /** Attempts of one step of a process before its message is parked. */
  processAttempts: 6,
  /** One attempt of a process at an event: an order of 200 lines is 200 commands, one after the other. */
  processAttemptMs: 30_000,
  /** The longest attempt that a process may declare: with a slice of `pumpMs` before it, an alarm is well within its 15 minutes. */
  subscriptionAttemptMs: 5 * 60_000,
  /** The most attempts that a process may declare: with the longest pauses they last two weeks. */
  subscriptionAttempts: 1_000,
  /** The most events that a process may declare to handle at once: each may hold one of its Actor's subrequests. */
  subscriptionConcurrency: 256,
  /** The longest pause between attempts that a process may declare. */
  subscriptionBackoffMs: 60 * 60 * 1000,
  /** Events of one process that wait in its SQLite for another attempt, or behind one that does; then nothing new is taken. */
  subscriptionWaiting: 100_000,
  /** Events of one process that are parked: beyond it nothing new is taken, for its code is wrong, or nobody looks after them. */
  subscriptionParked: 100_000,
  /** Ids of handled events that one instance of a process manager remembers, the newest; all of its events carry one. */
  processHandled: 1_000,
  /** Timeouts of one process that run at a time, at some 500 bytes of its Actor's SQLite each; then nothing that starts one goes on. */
  timeoutsRunning: 100_000,
  /** Timeouts that fire in one transaction: those that fall due together must not hold up their Actor. */
  timeoutsTogether: 500,
  /** Parked events that one request replays: a person waits for it. */
  parkedReplays: 100,
  /** No event of such a request is begun after this. */
  parkedReplaysMs: 5_000,
  /** Why an event is dropped: a sentence or two. */
  dropReasonCharacters: 1_024,
  /** How long one alarm keeps a pump running; the platform ends an alarm after 15 minutes. */
  pumpMs: 60_000,
  /**
   * Pieces of work of one alarm: the platform counts CPU time and subrequests by invocation (10,000 by default), and a
   * piece is one D1 batch of a projection or a handful of calls of a process.
   */
  pumpSteps: 500,
  /** One message that is no history, its answer too: the server's bound is 1 MiB, and what is larger belongs into a store. */
  messageBytes: 256 * 1024,
  /** Handing a topic's message to the Actor that sends it, its connecting included. */
  messagePublishMs: 1_500,
  /** The longest that a request by message may wait: a replaced connection stays for its answer. */
  messageRequestMs: 30_000,
  /** A handler of a topic's message, which nobody waits for: it holds one of few places. */
  messageHandleMs: 30_000,
  /** Messages that one listener handles at once. */
  messageConcurrency: 16,
  /** Messages that one listener has taken and not handled; of others a topic's are lost, and requests are refused. */
  messagesPending: 1_000,
  /** Requests by message that wait for their answers in one isolate or Actor, at up to `messageBytes` each. */
  messageRequestsPending: 1_000,
  /** Between the looks of who listens whether its connection was replaced by a newer one. */
  messageLookMs: 1_000,
  /** Ids by which a message that came over the old and the new connection is known. */
  messagesRemembered: 2_000,
  /** A price that orders took from the catalog may be this old. */
  quoteMs: 1_000,
  /** The catalog's answer to a question for prices. */
  quoteRequestMs: 1_500,
  /** The payment provider's answer to one request. */
  paymentProviderMs: 2_000,
  /** The longest that a configuration may let it take: a process handles its orders side by side, but not endlessly many. */
  paymentProviderMaxMs: 10_000,
  /** How long a cold isolate waits for its first look at the control plane or its snapshot. */
  coldLookMs: 1_000,
  /** One look of a warm isolate; also how long a look that was cut off keeps the next one from beginning. */
  lookMs: 1_000,
  /** Between the beginnings of an isolate's looks when nothing tells of news. */
  lookEveryMs: 1_000,
  /** The same when a newer epoch was met: many requests meet it at once. */
  lookAgainMs: 100,
  /** The look before a refusal for lack of knowledge, which its request waits for. */
  lookNowMs: 250,
  /**
   * A newer epoch that a look begun this long after meeting it does not find is not believed in: a control isolate says
   * "nothing new" from memory for a quarter of a second, and the log may carry epochs of a control plane that was lost.
   */
  epochBelievedMs: 500,
  /** Sums of answers under roll-outs that wait in one isolate for its next look; a system has few roll-outs at once. */
  armSums: 64,
  /** Answers of one such sum: what is sent after a long time without a control plane must not outweigh all others. */
  armAnswers: 1_000_000,
  /** Faults of a configuration that could not be taken, as reported. */
  configFaults: 20,
  /** Spans waiting in one isolate; more are dropped and counted. */
  spansBuffered: 2_048,
  /** Traces that the monitor keeps. */
  tracesKept: 1_000,
  /** Spans that the monitor keeps in all, at up to 32 KiB each: the oldest traces make room. */
  spansKept: 50_000,
  /** Spans of one trace; the sender is told which were refused. */
  spansPerTrace: 2_000,
  /** One export request, unpacked: a batch of 512 spans with room for stack traces. */
  exportBodyBytes: 4 * 1024 * 1024,
  /** Attribute sets of one instrument in one isolate; what comes later is counted under `otel.metric.overflow`. */
  metricSeriesPerIsolate: 200,
  /** Metric series that the monitor keeps: what was not seen longest makes room. */
  metricSeriesKept: 1_000,
  /** A process' request to the registry: three of them fit into a renewal's share of the shortest sensible lease. */
  registrarRequestMs: 3_000,
  /** A process' start waits this long for the registry, then serves whoever finds it and goes on registering. */
  registrarStartMs: 10_000,
  /** From a drain to its being known everywhere, as changes are promised to be (p99). */
  drainSpreadMs: 3_000,
  /** Telling processes of an epoch, connecting included: who is not told finds it at the next look. */
  epochBroadcastMs: 2_000,
  /** Between the looks of a process that is told of new epochs, should the telling fail. */
  processLookMs: 3_000,
  /** Keys that open sealed values; each rotation adds one until all is sealed anew. */
  sealingKeys: 16,
  /** A secret's text: a certificate chain is some 10,000. */
  secretCharacters: 16_384,
  /** Tokens of the control plane, the expired ones included: they make room when it is full. */
  tokensKept: 1_000,
  /** The longest lifetime of a token: what nobody renews within a year is forgotten somewhere. */
  tokenTtlSeconds: 365 * 24 * 60 * 60,
  /** A control isolate that asked its Actor this recently says "nothing new" by itself. */
  controlMemoryMs: 250,
  /** Between writes of snapshots: Workers KV takes one write a second to a key. */
  snapshotPauseMs: 1_000,
  /** How long a superseded snapshot stays: its pointer may still be read where Workers KV lags. */
  snapshotKeptMs: 60 * 60 * 1000,
  /** Snapshots of one alarm, each of two writes: an invocation has 10,000 subrequests by default. */
  snapshotsPerRun: 200,
  /** Services under a profile whose looks are remembered; the oldest make room. */
  lookedForKept: 20_000,
  /** Services whose derived keys the control plane keeps in memory; others are derived anew, in a millisecond. */
  sealersKept: 1_000,
  /** Sealed configurations that the control plane keeps in memory, together; an Actor has 128 MB. */
  configPartsCachedBytes: 16 * 1024 * 1024,
  /** Services under a profile whose last refused configuration is shown. */
  rejectedConfigsKept: 200,
  /** What one look may report: faults of one configuration, and counts of several roll-outs. */
  lookReportItems: 100,
  /** Services that are judged each by itself under one roll-out: as many as the registry has. */
  rolloutServices: 10_000,
  /** Answers of a candidate before its failures mean anything. */
  rolloutAnswersMin: 20,
  /** An instance at a URL, from the request to its answer's headers: bodies may stream on after them. */
  instanceAnswerMs: 30_000,
  /** Services that the gateway's `/readyz` asks: a Worker may make 50 subrequests on the smallest plan. */
  readinessServices: 45,
  /** Services on the front page: what a person reads; `/openapi.json` lists all of them. */
  homePageServices: 100,
  /** Nesting of a configuration and of its schema: what reads them recurses. */
  configDepth: 64,
  /** Values in one configuration, and in one schema: ten thousand routes with a policy each have some 200,000. */
  configNodes: 250_000,
  /** One text of a configuration: as much as a secret. */
  configTextCharacters: 16_384,
  /** A text that a schema's pattern is tried on: a private key in PEM fits, and the cube of it is seconds. */
  configMatchedCharacters: 2_048,
  /** A field's name in a configuration. */
  configNameCharacters: 256,
  /** Work of one check against a schema, where looking at one value by one small schema is some 10: about a second. */
  configCheckSteps: 10_000_000,
  /** Faults named in one answer. */
  schemaFaults: 50,
  /** One fault's message. */
  configFaultCharacters: 300,
  /** Documents of the control plane; removed ones make room, the first removed first. */
  documents: 10_000,
  /**
   * One document's content as JSON, secrets sealed: ten thousand routes of 150 bytes. A row of an Actor's SQLite has at most
   * 2 MB, and an isolate parses it in some 10 ms.
   */
  configDocumentBytes: 1536 * 1024,
  /** Revisions kept of one document, the newest: a change a day for three years. */
  documentRevisions: 1_000,
  /** Contents of one document's history together, the oldest make room: an Actor's SQLite has 10 GB for all of them. */
  documentHistoryBytes: 32 * 1024 * 1024,
  /** Profiles of one service: each write of its default document checks every one of them. */
  documentProfiles: 20,
  /** Secrets of one document: sealed, each takes some 200 bytes more, and a row of an Actor's SQLite has at most 2 MB. */
  documentSecrets: 500,
  /** Documents of one import, in one body of `configBodyBytes`. */
  documentsPerImport: 1_000,
  /** Services that have declared a schema. */
  configSchemas: 10_000,
  /** One schema as JSON: the largest sensible one has some hundred fields. */
  configSchemaBytes: 64 * 1024,
  /** Faults that a refused configuration is answered with: a shared document may spoil every service. */
  documentFaults: 100,
  /** Contents read for one answer, after which a page of history or an export ends: what travels from an Actor has 32 MiB. */
  documentPageBytes: 4 * 1024 * 1024,
  /** Why a configuration is changed: a sentence or two, for history. */
  configReasonCharacters: 1_024,
  /** Revisions that one request seals anew: a few milliseconds each. */
  resealedRevisions: 200,
  /** Steps of one roll-out. */
  rolloutSteps: 20,
  /** The longest step of a roll-out: what nobody looks at for a week is no roll-out. */
  rolloutStepSeconds: 7 * 24 * 60 * 60,
  /** Services of the registry: all of them travel in one snapshot. */
  registryServices: 10_000,
  /** Instances of one service: one look carries them all when one changes. */
  registryInstancesPerService: 100,
  /** Instances in all: probed every 5 s they are 4,000 probes a second, as much as one Actor asks. */
  registryInstances: 20_000,
  /** All instances together as JSON: a first look carries them whole, 32 MiB from an Actor and 25 MiB in Workers KV at most. */
  registryCharacters: 12 * 1024 * 1024,
  /** Services without instances that are remembered; who looks more seldom gets everything anew. */
  registryServicesGone: 2_000,
  /** Entries of an instance's metadata. */
  registryMetadataEntries: 32,
  /** Metadata of one instance as JSON: it travels with each change of its service. */
  registryMetadataBytes: 2_048,
  /** Instances on one page of the list; a service's stay together. */
  registryPageInstances: 500,
  /** Probes at once, those over the network included. */
  registryProbesAtOnce: 32,
  /** Probes at once over the network: the platform lets six connections of an invocation wait for headers. */
  registryUrlProbesAtOnce: 6,
  /** The probe that a new instance's registration waits for: who answers by then is used at once. */
  registryFirstProbeMs: 500,
  /** Probes of one alarm, each a subrequest; what is left is due at once in the next. */
  registryProbesPerRound: 256,
  /** No probe of an alarm starts later than this, so that leases are judged in time. */
  registryProbeRoundMs: 1_000,
  /** Of a probe's answer this much is read. */
  registryProbeBodyBytes: 4_096,
  /** The longest window of a breaker by count, a byte for each call. */
  breakerWindowCalls: 10_000,
  /** Calls by which a half-open breaker finds out: more of them would be traffic. */
  breakerTrialCalls: 100,
  /** Slots of one bulkhead; an isolate has no memory for more requests at once. */
  bulkheadSlots: 4_096,
  /** Calls that wait for a slot of one bulkhead: each looks after its turn by itself. */
  bulkheadQueue: 1_000,
  /** Between the looks of a call that waits for a slot. */
  bulkheadLookMs: 5,
  /** Between searches of a full bulkhead for slots whose holders are gone. */
  bulkheadSearchMs: 1_000,
  /** What a hop keeps of a deadline to answer with, when it tells the next one how much remains. */
  deadlineMarginMs: 5,
  /** The longest `Retry-After` that is told apart from longer ones; requests wait for much less than that. */
  retryAfterMs: 24 * 60 * 60 * 1000,
  /** An answer of the store of sessions, which every request of a route may wait for; one that is late is none. */
  sessionStoreMs: 5_000,
  /** A latency that is told apart from longer ones: no deadline is longer. */
  latencyMs: 10 * 60 * 1000,
  /** Callers that one rate limit of one isolate remembers, at some 150 bytes each; the half seen last always stays. */
  rateLimitKeys: 10_000,
  /** Of a caller's name, as a header may say it: what is remembered of each stays small. */
  rateLimitKeyCharacters: 128,
  /** Limits of one route: each is asked for every request. */
  rateLimitsPerRoute: 4,
  /** An exact limit's answer, or the platform's; who needs longer is answered by what the isolate knows. */
  rateLimitAnswerMs: 250,
  /** How long an Actor that gave no answer is not asked again by the same isolate. */
  rateLimitPauseMs: 1_000,
  /** Actors of one exact limit; each answers some 1,000 questions a second. */
  rateLimitShards: 256,
  /** Callers in the memory of one Actor: half of them is what comes in the 10 s for which memory alone is gone by. */
  rateLimitActorKeys: 20_000,
  /** Limits that one Actor knows at once; they are several only while their settings change. */
  rateLimitActorPolicies: 16,
  /** An Actor is ended after some 10 s without work: a caller who needs longer to be rested is kept in its SQLite. */
  rateLimitKeptMs: 10_000,
  /** Between an Actor's removals of callers who are rested. */
  rateLimitSweepMs: 60_000,
  /** Callers kept in one Actor's SQLite, at some 200 bytes each; those who are rested soonest make room. */
  rateLimitStoredKeys: 1_000_000,
  /** Services under a major whose way an isolate has put together; then it begins anew. Those that left the registry are among them. */
  gatewayWaysKnown: 20_000,
  /** Routes of the configuration: more of them would not fit into one document. */
  routes: 10_000,
  /** Parts of routes that remember something across changes of the configuration, those put together last. */
  gatewayPartsKept: 4_096,
  /** Breakers of one service and major: more than it has instances, so that one that is gone for a moment keeps its own. */
  gatewayBreakers: 256,
  /** The longest that a hint keeps a breaker sampling: without a control plane nobody would withdraw it. */
  breakerHintMs: 30_000,
  /** Instances of which breakers are told between isolates at once; the one told of longest ago makes room. */
  breakerSuspects: 100,
  /** Isolates whose word on one instance is kept, those that spoke last: as good a sample as all of them. */
  breakerVotes: 1_000,
  /** Calls in a breaker's window, as reported: more than an isolate makes in any sensible window. */
  breakerReportedCalls: 1_000_000,
  /** Of an instance's id, as reported: longer ones are not registered. */
  breakerNameCharacters: 128,
  /** One pattern or template of a route's path. */
  routePatternCharacters: 1_024,
  /** Segments of one pattern: how deep a lookup goes. */
  routeSegments: 32,
  /** Patterns of one route, each of which is a way to it. */
  routePaths: 16,
  /** Conditions of one route: each is looked at when all before it hold. */
  routeConditions: 16,
  /** Destinations of one route. */
  routeDestinations: 16,
  /** A host name that is compared (RFC 1035 section 2.3.4): each of its suffixes may be looked up. */
  hostCharacters: 253,
  /** A list of media types that is compared; browsers send some 150 characters. */
  mediaTypesCharacters: 4_096,
  /** Of a `Cookie` header this much is looked at: four times what a browser lets one cookie have. */
  cookieHeaderCharacters: 16_384,
  /** A cookie's name and value together: what every browser takes (RFC 6265bis section 5.6). */
  cookieBytes: 4_096,
  /** A session's content as JSON in the KeyValue store: in base64url it travels to services as one header. */
  sessionBytes: 8 * 1024,
  /** Opened sessions that one part of an isolate remembers, at some 10 KB at most; the half seen last always stays. */
  sessionsRemembered: 1_000,
  /** The longest lifetime of a session: browsers keep no cookie for longer than 400 days. */
  sessionSeconds: 400 * 24 * 60 * 60,
  /** Origins, methods or headers that a route names for CORS: each request is held to them. */
  corsEntries: 200,
  /** Headers that a route edits one way: more of them are a service's work. */
  headerEdits: 50,
  /** One header's value as it stands in a configuration: the longest sensible Content-Security-Policy is half of it. */
  headerValueCharacters: 4_096,
  /** Entries of one `Server-Timing`. */
  serverTimings: 32,
  /** Proxies that stand before the gateway at most. */
  forwardingProxies: 16,
  /** An issuer's key set, from the request to its last byte: a cold isolate's first token waits for it. */
  keySetMs: 2_000,
  /** One key set; the largest known issuer's has 20 KB. */
  keySetBytes: 128 * 1024,
  /** Keys of one key set. */
  keySetKeys: 100,
  /** A key set is believed at least this long, whatever its Cache-Control says: issuers are not asked for each token. */
  keySetFreshMinMs: 60_000,
  /** The same without a Cache-Control. */
  keySetFreshMs: 10 * 60_000,
  /** A key set is asked for anew after this, whatever its Cache-Control says: a withdrawn key is gone within an hour. */
  keySetFreshMaxMs: 60 * 60_000,
  /** How long a key set is believed in while its issuer cannot be reached. */
  keySetKeptMs: 6 * 60 * 60_000,
  /** Between two questions of an isolate for one key set: tokens with invented key ids must not become a load. */
  keySetAgainMs: 10_000,
  /** The same while it has none: nobody gets in meanwhile. */
  keySetColdAgainMs: 1_000,
  /** Between the looks of a request that waits for another's question for the same key set. */
  keySetLookMs: 20,
  /** Key sets by URL that an isolate keeps. */
  keySets: 100,
  /** A token's or a key's text; a JWT with 100 groups in it is 5,000. */
  credentialCharacters: 8_192,
  /** Verified tokens that an isolate remembers, at 1 to 8 KB each. */
  tokensRemembered: 4_000,
  /** API keys whose digests an isolate remembers, at some 250 bytes each. */
  apiKeysRemembered: 10_000,
  /** Networks whose failed credentials an isolate counts under one setting, at some 150 bytes each; the half seen last always stays. */
  failedNetworks: 10_000,
  /** Settings under which failed credentials are counted at once: mostly there is one for all routes. */
  failureSettings: 16,
  /** Identities that a gateway's isolate has minted and a service's has verified, at some 500 bytes each. */
  identitiesRemembered: 10_000,
  /** An identity's life: what a service that was broken into can do in another's name ends with it. */
  identitySeconds: 60,
  /** How far clocks of the platform's own machines may be apart. */
  identitySkewSeconds: 5,
  /** Stored answers of one route in one isolate, at most: an isolate has 128 MB for everything. */
  cacheBytes: 64 * 1024 * 1024,
  /** One stored answer, at most: it is held twice while it is put together. */
  cacheEntryBytes: 8 * 1024 * 1024,
  /** Stored answers to one address that differ by `Vary`: a look goes through all of them. */
  cacheVariants: 64,
  /** Lifetimes that configuration may give to stored answers. */
  cacheTtlSeconds: 31 * 24 * 60 * 60,
  /** How long equal requests wait for the one that was sent: it may be gone without a word. */
  cacheLeaseMs: 3_000,
  /** Addresses of one route that are being fetched, or known not to be worth waiting for. */
  cacheLeases: 1_000,
  /** An address under which answers are kept; longer ones go to the service: thousands of them are remembered. */
  cacheKeyCharacters: 2_048,
  /** Between the looks of a request that waits for an equal one, once it has waited for a while. */
  cacheLookMs: 25,
  /** How long nobody waits for an answer that turned out to be for one request only. */
  cachePassMs: 10_000,
  /** Invalidated addresses that are remembered, so that what was asked for before does not come back. */
  cacheInvalidations: 1_000,
  /** A body on its way into the cache of which nothing came for as long is not counted any more: its request is gone. */
  cacheFillIdleMs: 60_000,
  /** The longest fault that is injected as a delay: each holds a request and its connection. */
  faultDelayMs: 30_000,
  /** Steps of one fallback: each is tried within one request's time. */
  fallbackSteps: 5,
  /** A fallback's own text: a small page. */
  fallbackBodyCharacters: 64 * 1024,
  /** Mirrored requests of one route at once in an isolate: each may hold a body. */
  mirroredAtOnce: 100,
  /** A mirrored request from its start to its answer's headers: the platform ends what goes on after an answer at 30 s. */
  mirrorMs: 20_000,
  /** One service's OpenAPI document, from the request to its last byte: a person waits for the merged one. */
  openApiFetchMs: 2_000,
  /** One service's OpenAPI document; the largest public ones have some 10 MB, one service's own a hundredth of it. */
  openApiBytes: 2 * 1024 * 1024,
  /** Nesting of an OpenAPI document: what reads it recurses. */
  openApiDepth: 100,
  /** Values in one OpenAPI document. */
  openApiNodes: 200_000,
  /** Documents that are fetched at once: the platform lets six connections of a request wait for headers. */
  openApiFetchesAtOnce: 6,
  /** Documents that are fetched for one request: a Worker may make 50 subrequests on the smallest plan. */
  openApiFetchesPerRequest: 40,
  /** How long a document is taken as it is while the versions of its service stay the same. */
  openApiFreshMs: 60_000,
  /** How long a service that gave no document is not asked again by the same isolate. */
  openApiAgainMs: 5_000,
  /** Texts of all documents that an isolate remembers, together; parsed they take some five times as much. */
  openApiCharacters: 8 * 1024 * 1024,
  /** A body that is read to be validated: the request waits for all of it. */
  validatedBodyBytes: 1024 * 1024,
  /** Nesting of a body that is validated: the check recurses. Services refuse half of it. */
  validatedDepth: 64,
  /** Values in a body that is validated. */
  validatedNodes: 50_000,
  /** Work of one validation, where looking at one value by one small schema is some 10: tens of milliseconds. */
  validationSteps: 500_000,
} as const;
