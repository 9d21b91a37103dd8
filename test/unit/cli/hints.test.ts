import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { commandEntries } from '../../../src/cli/commands/index.ts'
import { toFields } from '../../../src/cli/fields.ts'
import { globalFlags } from '../../../src/config/keys.ts'

const root = fileURLToPath(new URL('../../../src', import.meta.url))
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts') && !path.endsWith('.generated.ts'))

/** Commands between backticks in the texts of the source, with a placeholder for what is put in when they are printed. */
function listTyped(source: string): string[] {
  const text = source.replace(/^ *(\/\*\*|\*|\/\/).*$/gm, '')
  const plain = text.replace(/\$\{(?:screen\.program|program)\}/g, 'cuckoo').replace(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, '<value>')
  return [...plain.matchAll(/\\?`(cuckoo [a-z][^`\\\n]*)\\?`/g)].map(([, typed]) => typed as string)
}

describe('commands that texts tell to type', () => {
  const typed = new Set(files.flatMap((path) => listTyped(readFileSync(`${root}/${path}`, 'utf8'))))

  it('are found', () => {
    expect(typed.size).toBeGreaterThan(80)
    expect(listTyped('hint: `Try \\`cuckoo bond $' + '{f.amount}\\`.`')).toEqual(['cuckoo bond <value>'])
  })

  it.each([...typed].sort())('`%s` exists', async (line) => {
    const words = line.split(' ').slice(1)
    const named = words.slice(0, words.findIndex((word) => !/^[a-z][a-z-]*$/.test(word)) >>> 0)
    const entry = commandEntries.find(({ path }) => `${words.join(' ')} `.startsWith(`${path} `))
    const isGroup = commandEntries.some(({ path }) => path.startsWith(`${named.join(' ')} `))
    if (entry === undefined) return expect(isGroup || named[0] === 'help', `there is no command '${named.join(' ')}'`).toBe(true)
    const { args, options } = await entry.load()
    const known = [...toFields(options, 'option').map(({ name }) => name), ...globalFlags.map(([, { flag }]) => flag), '--help']
    expect(known).toEqual(expect.arrayContaining(words.filter((word) => word.startsWith('--'))))
    const given = named.slice(entry.path.split(' ').length)
    const fields = toFields(args, 'argument')
    expect(given.length, `'${given.join(' ')}' is too much`).toBeLessThanOrEqual(fields.length)
    for (const [index, word] of given.entries()) {
      const choices = fields[index]?.choices ?? []
      if (choices.length > 0) expect(choices).toContain(word)
    }
    return undefined
  })
})
