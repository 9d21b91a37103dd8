import { expect, test } from 'vitest'
import type { CatalogueModel } from '../../../src/coordinator/catalogue.ts'
import { createEmbeddingContent } from '../../../src/coordinator/textContent.ts'
import { maxInputTokens } from '../../../src/domain/taskKinds.ts'

const limits = { contextTokens: maxInputTokens, maxOutputTokens: 0, maxBatch: 2048 }
const tokenizer = { encodeText: async (text: string) => Array(Number(text)).fill(1) }
const model = { manifest: { model: 'test/vectors', limits }, tokenizer } as unknown as CatalogueModel
const embed = (...texts: number[]) =>
  createEmbeddingContent({ kind: 'embedding', model: 'test/vectors', input: { texts: texts.map(String) }, params: {} }, model)

test('the texts of one task have at most 2^20 tokens together, which is what a miner can be sent', async () => {
  await expect(embed(maxInputTokens - 2, 2)).resolves.toMatchObject({ kind: 'embedding' })
  await expect(embed(maxInputTokens - 2, 2, 1)).rejects.toMatchObject({
    code: 'CUCKOO_TASK_PROMPT_TOO_LONG',
    message: 'The prompt has 1048577 tokens; at most 1048576 fit.',
  })
})
