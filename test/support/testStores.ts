import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import type { CoordinatorStore } from '../../src/domain/storePorts.ts'
import { openCoordinatorStore } from '../../src/store/coordinatorStore.ts'

const cleanUps: (() => unknown)[] = []

/** After each test, closes the stores that {@link openTestStore} opened and removes the directories of {@link createStoreDirectory}, newest first. */
export function endStoresAfterEach(): void {
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
  })
}

/** Does this too, before what was asked for earlier. */
export function addCleanUp(cleanUp: () => unknown): void {
  cleanUps.push(cleanUp)
}

export function createStoreDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'cuckoo-store-'))
  cleanUps.push(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** A coordinator's store in `directory`, by default a new one. */
export async function openTestStore(directory = createStoreDirectory(), more: { maxBytes?: number } = {}): Promise<CoordinatorStore> {
  const store = await openCoordinatorStore({ directory, ...more })
  cleanUps.push(() => store.close())
  return store
}
