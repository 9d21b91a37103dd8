import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ModelSource } from '../../src/domain/enginePort.ts'

/** A real model on disk for tests. */
export interface TestModel {
  model: string
  source: ModelSource
  /** parent of `owner/model` */
  directory: string
}

const bundledDirectory = fileURLToPath(new URL('../../src/inference/bundled', import.meta.url))

/** The text model that ships with cuckoo. */
export const storyteller: TestModel = { model: 'cuckoo/storyteller', source: { from: 'bundled' }, directory: bundledDirectory }

/** A model of the folder that CUCKOO_TEST_MODELS_DIR names, or null with the reason for the skip in `whyNoTestModel`. */
export function findTestModel(model: string): TestModel | null {
  const directory = process.env.CUCKOO_TEST_MODELS_DIR
  if (directory === undefined || !existsSync(join(directory, model, 'config.json'))) return null
  return { model, source: { from: 'folder', directory }, directory }
}

export const whyNoTestModel = 'CUCKOO_TEST_MODELS_DIR names no folder with this model'
