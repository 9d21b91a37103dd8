import { randomBytes } from 'node:crypto'
import { sha256 } from '../domain/canonical.ts'
import type { Clock } from '../domain/ports.ts'
import type { AppRecord, AppStore } from '../domain/storePorts.ts'
import { appNameInvalid } from '../errors/coordinator.ts'

/**
 * A new app with its API key. The key is in this answer and nowhere else: the store keeps its SHA-256.
 * @throws CUCKOO_APP_NAME_INVALID when the name is not 1 to 64 letters, digits, dots, dashes, underscores or spaces
 */
export async function createApp(store: AppStore, input: { name: string; clock: Clock }): Promise<{ app: AppRecord; key: string }> {
  if (!/^[\p{L}\p{N}][\p{L}\p{N}._ -]{0,63}$/u.test(input.name)) throw appNameInvalid({ name: input.name })
  const key = `cuckoo_${randomBytes(32).toString('base64url')}`
  const app: AppRecord = {
    id: `app_${randomBytes(8).toString('hex')}`,
    name: input.name,
    keyHash: sha256(key),
    keyPrefix: key.slice(0, 12),
    createdAt: input.clock.nowMs(),
    revokedAt: null,
  }
  await store.createApp(app)
  return { app, key }
}
