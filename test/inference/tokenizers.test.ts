import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AutoTokenizer, env, LogLevel, type PreTrainedTokenizer } from '@huggingface/transformers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ChatMessage, Tokenizers } from '../../src/domain/enginePort.ts'
import { tokenizerFiles } from '../../src/domain/manifest.ts'
import { createTokenizers } from '../../src/inference/createTokenizers.ts'
import { findTestModel, storyteller, type TestModel, whyNoTestModel } from '../support/models.ts'

const timeoutMs = 1_500
const date = '2026-02-03'
let tokenizers: Tokenizers
beforeAll(() => {
  env.allowRemoteModels = false
  env.logLevel = LogLevel.NONE
  tokenizers = createTokenizers({ timeoutMs })
})
afterAll(() => tokenizers.dispose())

const toFolder = ({ directory, model }: TestModel) => join(directory, model)
const readFiles = (model: TestModel) =>
  new Map(
    tokenizerFiles
      .map((file) => join(toFolder(model), file))
      .filter(existsSync)
      .map((path) => [path.split('/').at(-1) as string, new Uint8Array(readFileSync(path))]),
  )
/** The storyteller's tokenizer with another template and configuration. */
const withTemplate = (chat_template: string, more: object = {}) => {
  const files = readFiles(storyteller)
  const config = JSON.parse(Buffer.from(files.get('tokenizer_config.json') as Uint8Array).toString()) as object
  files.set('tokenizer_config.json', Buffer.from(JSON.stringify({ ...config, chat_template, ...more })))
  return files
}
const user = (content: string): ChatMessage[] => [{ role: 'user', content }]

const texts = [
  'Once upon a time',
  '',
  ' ',
  '  two  spaces ',
  'Ünïcödé 你好 🎉👩‍👩‍👧',
  '<|end|> and </s> and <s>',
  "it's a test , isn't it ?\n\n\tyes",
  '\u0000\uFFFD',
  'x'.repeat(2_000),
]

describe.each([
  ['cuckoo/storyteller', storyteller],
  ['karpathy/stories260K', findTestModel('karpathy/stories260K')],
] as const)('%s', (_, model) => {
  it('gets the ids and texts of the tokenizer of transformers.js', async (context) => {
    if (model === null) return context.skip(`skipped: ${whyNoTestModel}`)
    const reference: PreTrainedTokenizer = await AutoTokenizer.from_pretrained(toFolder(model))
    const tokenizer = await tokenizers.openTokenizer(readFiles(model))
    for (const text of texts) {
      const tokenIds = await tokenizer.encodeText(text)
      expect(tokenIds).toEqual(reference.encode(text))
      if (tokenIds.length > 0) expect(await tokenizer.decode(tokenIds)).toBe(reference.decode(tokenIds, { skip_special_tokens: true }))
    }
    expect(await tokenizer.decode([])).toBe('')
    expect(tokenizer.hasChatTemplate).toBe(reference.chat_template !== null)
    if (tokenizer.hasChatTemplate) {
      const chat: ChatMessage[] = [
        { role: 'user', content: 'Tell me of a fox.' },
        { role: 'assistant', content: 'It ran.' },
        { role: 'user', content: 'And then? <|end|>' },
      ]
      expect(await tokenizer.encodeChat(chat, date)).toEqual(
        reference.apply_chat_template(chat, { add_generation_prompt: true, tokenize: true, return_tensor: false, return_dict: false }),
      )
    } else {
      await expect(tokenizer.encodeChat(user('hello'), date)).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_TOKENIZER_WITHOUT_CHAT' }))
    }
    await tokenizer.dispose()
  })

  it('streams pieces that join to the whole text', async (context) => {
    if (model === null) return context.skip(`skipped: ${whyNoTestModel}`)
    const tokenizer = await tokenizers.openTokenizer(readFiles(model))
    for (const text of texts.slice(0, 8)) {
      const tokenIds = await tokenizer.encodeText(text)
      const decoder = tokenizer.createDecoder()
      let joined = ''
      for (const id of tokenIds) joined += await decoder.push([id])
      joined += await decoder.flush()
      expect(joined).toBe(await tokenizer.decode(tokenIds))
    }
  })
})

describe('chat templates', () => {
  const render = async (template: string, messages = user('hi'), more: object = {}) => {
    const tokenizer = await tokenizers.openTokenizer(withTemplate(template, more))
    return tokenizer.decode(await tokenizer.encodeChat(messages, date))
  }

  it('get the date of the params as their clock, in loops and macros too', async () => {
    expect(
      await render(
        "{% macro now() %}{{ strftime_now('%d %b %Y') }}{% endmacro %}{% for m in messages %}{{ strftime_now('%Y-%m-%d') }} {% endfor %}{{ now() }}",
      ),
    ).toBe('2026-02-03 03 Feb 2026')
    expect(await render("{% if strftime_now is defined %}{{ strftime_now('%B') }}{% endif %}")).toBe('February')
  })

  it('get their special tokens, and no second start token', async () => {
    const tokenizer = await tokenizers.openTokenizer(
      withTemplate("{{ bos_token }}{{ messages[0]['content'] }}{% if add_generation_prompt %}{{ eos_token }}{% endif %}", { bos_token: '<|user|>' }),
    )
    const [start] = await tokenizer.encodeText('<|user|>')
    const ids = await tokenizer.encodeChat(user('hi'), date)
    expect(ids.filter((id) => id === start)).toHaveLength(1)
    expect(ids[0]).toBe(start)
  })

  it('keep their leading newline', async () => {
    expect(await render('\n\nx')).toBe('\n\nx')
  })

  it('come from chat_template.jinja before the configuration, and by name', async () => {
    const files = withTemplate('from the configuration')
    files.set('chat_template.jinja', Buffer.from('from the file'))
    const tokenizer = await tokenizers.openTokenizer(files)
    expect(await tokenizer.decode(await tokenizer.encodeChat(user('hi'), date))).toBe('from the file')
    expect(
      await render([
        { name: 'tool_use', template: 'no' },
        { name: 'default', template: 'the default' },
      ] as unknown as string),
    ).toBe('the default')
  })

  it('may refuse messages: a coded error with their reason, and the worker lives on', async () => {
    await expect(render("{{ raise_exception('roles must alternate') }}")).rejects.toThrow(
      expect.objectContaining({ code: 'CUCKOO_TOKENIZER_TEMPLATE_FAILED', kind: 'usage', message: expect.stringContaining('roles must alternate') }),
    )
    await expect(render('{% if %}')).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_TOKENIZER_INVALID' }))
    expect(await render('fine')).toBe('fine')
  })
})

describe('files of a stranger', () => {
  const endless = '{% for a in range(100000) %}{% for b in range(100000) %}{% for c in range(100000) %}{% endfor %}{% endfor %}{% endfor %}'
  const hoarding = "{% set ns = namespace(x='xxxxxxxxxxxxxxxx') %}{% for a in range(60) %}{% set ns.x = ns.x + ns.x %}{{ ns.x | upper }}{% endfor %}"

  it('cannot loop for ever, and the tokenizers beside them go on', async () => {
    const honest = await tokenizers.openTokenizer(readFiles(storyteller))
    const before = await honest.encodeText('Once upon a time')
    const evil = await tokenizers.openTokenizer(withTemplate(endless))
    const startedAt = performance.now()
    const attack = evil.encodeChat(user('hi'), date)
    const beside = honest.encodeText('Once upon a time')
    await expect(attack).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_TOKENIZER_TIMED_OUT', httpStatus: 422 }))
    expect(performance.now() - startedAt).toBeLessThan(timeoutMs * 3)
    expect(await beside).toEqual(before)
    expect(await evil.encodeText('Once upon a time')).toEqual(before)
  })

  it('cannot fill the memory of the process', async () => {
    const evil = await tokenizers.openTokenizer(withTemplate(hoarding))
    await expect(evil.encodeChat(user('hi'), date)).rejects.toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^CUCKOO_(TOKENIZER_|INFERENCE_WORKER_ENDED)/) }),
    )
    expect(await (await tokenizers.openTokenizer(readFiles(storyteller))).encodeText('a')).not.toEqual([])
  }, 60_000)

  it('cannot read the environment, files or the network through a template', async () => {
    const tokenizer = await tokenizers.openTokenizer(
      withTemplate("[{{ process }}{{ globalThis }}{{ require }}{{ ''.constructor }}{{ messages.constructor }}{{ strftime_of_date.constructor }}]"),
    )
    expect(await tokenizer.decode(await tokenizer.encodeChat(user('hi'), date))).toMatch(/^\[[^A-Za-z]*\]$/)
  })

  it.each([
    ['nothing', new Map()],
    ['no JSON', new Map([['tokenizer.json', Buffer.from('{')]])],
    ['an empty object', new Map([['tokenizer.json', Buffer.from('{}')]])],
    ['a list', new Map([['tokenizer.json', Buffer.from('[]')]])],
    [
      'an unknown model',
      new Map([
        [
          'tokenizer.json',
          Buffer.from('{"model":{"type":"Magic"},"added_tokens":[],"decoder":null,"post_processor":null,"pre_tokenizer":null,"normalizer":null}'),
        ],
      ]),
    ],
    ['broken UTF-8', new Map([['tokenizer.json', Buffer.from([0xff, 0xfe])]])],
  ])('that hold %s are refused', async (_, files) => {
    await expect(tokenizers.openTokenizer(files as Map<string, Uint8Array>)).rejects.toThrow(
      expect.objectContaining({ code: 'CUCKOO_TOKENIZER_INVALID', kind: 'invalid' }),
    )
  })

  it('bounds a prompt of ten million characters', async () => {
    const tokenizer = await tokenizers.openTokenizer(readFiles(storyteller))
    const startedAt = performance.now()
    await tokenizer
      .encodeText('abc '.repeat(2_500_000))
      .catch((error: unknown) => expect(error).toMatchObject({ code: expect.stringMatching(/^CUCKOO_(TOKENIZER_TIMED_OUT|INFERENCE_WORKER_ENDED)$/) }))
    expect(performance.now() - startedAt).toBeLessThan(timeoutMs * 4)
    expect(await tokenizer.encodeText('a')).not.toEqual([])
  })

  it('refuses token ids that are not in the vocabulary', async () => {
    const tokenizer = await tokenizers.openTokenizer(readFiles(storyteller))
    for (const id of [-1, 1.5, 10_000_000, Number.NaN])
      await expect(tokenizer.decode([id])).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_INFERENCE_INPUT_INVALID' }))
  })
})

it('loads neither the ONNX runtime nor transformers.js', () => {
  const script = `
    import { readFileSync } from 'node:fs'
    const { createTokenizers } = await import(${JSON.stringify(new URL('../../src/inference/createTokenizers.ts', import.meta.url).href)})
    await import(${JSON.stringify(new URL('../../src/inference/createEngine.ts', import.meta.url).href)})
    const tokenizers = createTokenizers({ timeoutMs: 20000 })
    const tokenizer = await tokenizers.openTokenizer(new Map([['tokenizer.json', readFileSync(${JSON.stringify(join(toFolder(storyteller), 'tokenizer.json'))})]]))
    const ids = await tokenizer.encodeText('Once')
    const libraries = process.report.getReport().sharedObjects.filter((path) => /onnxruntime|sharp|libvips/.test(path))
    console.log(JSON.stringify({ ids: ids.length > 0, libraries }))
    await tokenizers.dispose()`
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', env: { ...process.env, NODE_NO_WARNINGS: '1' } })
  expect(JSON.parse(output)).toEqual({ ids: true, libraries: [] })
})
