import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

const seconds = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** The coordinator's metrics, each defined once: served at /metrics. */
export function createCoordinatorMetrics() {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  return {
    registry,
    tasksCreated: new Counter({ name: 'cuckoo_tasks_created_total', help: 'Tasks accepted from apps', labelNames: ['kind'], registers }),
    tasksEnded: new Counter({ name: 'cuckoo_tasks_ended_total', help: 'Tasks ended', labelNames: ['kind', 'state'], registers }),
    attemptsEnded: new Counter({ name: 'cuckoo_attempts_ended_total', help: 'Attempts that ended without a result', labelNames: ['code'], registers }),
    dispatchSeconds: new Histogram({
      name: 'cuckoo_dispatch_seconds',
      help: 'From the app’s request to the miner that has the task',
      buckets: seconds,
      registers,
    }),
    taskSeconds: new Histogram({
      name: 'cuckoo_task_seconds',
      help: 'From the app’s request to the committed result',
      labelNames: ['kind'],
      buckets: seconds,
      registers,
    }),
    tasksQueued: new Gauge({ name: 'cuckoo_tasks_queued', help: 'Tasks waiting for a miner', registers }),
    tasksRunning: new Gauge({ name: 'cuckoo_tasks_running', help: 'Tasks that a miner holds', registers }),
    minersWaiting: new Gauge({ name: 'cuckoo_miners_waiting', help: 'Miners with a poll open', registers }),
    sessionsOpen: new Gauge({ name: 'cuckoo_sessions_open', help: 'Live miner sessions', registers }),
    requestSeconds: new Histogram({
      name: 'cuckoo_http_request_seconds',
      help: 'Time of a request, long polls and streams left out',
      labelNames: ['route', 'status'],
      buckets: seconds,
      registers,
    }),
    nodeSetAgeSeconds: new Gauge({ name: 'cuckoo_node_set_age_seconds', help: 'Age of the node set read from the chain', registers }),
    storeBytes: new Gauge({ name: 'cuckoo_store_bytes', help: 'Bytes that rows and blobs take in the store', registers }),
    storeMediaBytes: new Gauge({ name: 'cuckoo_store_media_bytes', help: 'Bytes of media that apps brought, as their quotas count them', registers }),
    storeFreeBytes: new Gauge({ name: 'cuckoo_store_free_bytes', help: 'Bytes that the store can still take', registers }),
    blobsDeleted: new Counter({ name: 'cuckoo_blobs_deleted_total', help: 'Contents and media deleted after their time', labelNames: ['of'], registers }),
    blobBytesDeleted: new Counter({ name: 'cuckoo_blob_bytes_deleted_total', help: 'Their bytes', labelNames: ['of'], registers }),
    vouchersSigned: new Counter({ name: 'cuckoo_vouchers_signed_total', help: 'Vouchers signed for miners', registers }),
    linesShort: new Gauge({ name: 'cuckoo_lines_short', help: 'Miners with a session whose line could not be raised', registers }),
    epochsUnrevealed: new Gauge({ name: 'cuckoo_epoch_unrevealed', help: 'Draw epochs that are over and whose secret is still to be revealed', registers }),
    chainFailures: new Counter({
      name: 'cuckoo_chain_failures_total',
      help: 'Refreshes and transactions of the coordinator on chain that failed',
      labelNames: ['action'],
      registers,
    }),
  }
}
export type CoordinatorMetrics = ReturnType<typeof createCoordinatorMetrics>

/** The miner's metrics, each defined once. */
export function createMinerMetrics() {
  const registry = new Registry()
  const registers = [registry]
  return {
    registry,
    tasksDone: new Counter({ name: 'cuckoo_miner_tasks_done_total', help: 'Results accepted by coordinators', labelNames: ['kind'], registers }),
    tasksFailed: new Counter({ name: 'cuckoo_miner_tasks_failed_total', help: 'Tasks given back', labelNames: ['code'], registers }),
    inferenceSeconds: new Histogram({ name: 'cuckoo_miner_inference_seconds', help: 'Time in the model', labelNames: ['kind'], buckets: seconds, registers }),
    outputTokens: new Counter({ name: 'cuckoo_miner_output_tokens_total', help: 'Tokens made', registers }),
    pauses: new Counter({ name: 'cuckoo_miner_pauses_total', help: 'Times that a coordinator was given no more credit', labelNames: ['reason'], registers }),
    unpaidResults: new Gauge({
      name: 'cuckoo_miner_unpaid_results',
      help: 'Accepted results that no voucher covers',
      labelNames: ['coordinator'],
      registers,
    }),
    redemptions: new Counter({ name: 'cuckoo_miner_redemptions_total', help: 'Vouchers redeemed by itself', labelNames: ['outcome'], registers }),
    tasksRunning: new Gauge({ name: 'cuckoo_miner_tasks_running', help: 'Tasks that run now', registers }),
    units: new Counter({ name: 'cuckoo_miner_units_total', help: 'Paid units made', labelNames: ['kind'], registers }),
    tasksCrashed: new Counter({ name: 'cuckoo_miner_tasks_crashed_total', help: 'Tasks that ended the process or a model’s worker', registers }),
    modelsUnloaded: new Counter({ name: 'cuckoo_miner_models_unloaded_total', help: 'Models taken out of the memory', labelNames: ['reason'], registers }),
    modelMemoryBytes: new Gauge({ name: 'cuckoo_miner_model_memory_bytes', help: 'Memory that the loaded models are reckoned to take', registers }),
    eventLoopLag: new Gauge({
      name: 'cuckoo_miner_event_loop_lag_seconds',
      help: 'How late the event loop was while tasks ran, since the start',
      labelNames: ['statistic'],
      registers,
    }),
    pollsEmpty: new Counter({ name: 'cuckoo_miner_polls_empty_total', help: 'Polls answered without a task', labelNames: ['reason'], registers }),
  }
}
export type MinerMetrics = ReturnType<typeof createMinerMetrics>
