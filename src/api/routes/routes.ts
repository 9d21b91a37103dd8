import * as media from './media.ts'
import * as miner from './miner.ts'
import * as openai from './openai.ts'
import * as operations from './operations.ts'
import * as tasks from './tasks.ts'

/** Every route by its id: what the server mounts, the client offers, the OpenAPI document lists and the route test covers. */
export const routes = { ...openai, ...media, ...tasks, ...miner, ...operations }
export type Routes = typeof routes
export type RouteId = keyof Routes
