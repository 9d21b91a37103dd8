import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { zList } from '../../../src/api/list.ts'
import { zMinerStatus } from '../../../src/api/minerStatus.ts'
import type { Route } from '../../../src/api/route.ts'
import { routes } from '../../../src/api/routes/routes.ts'

describe('a list', () => {
  const seen: unknown[] = []
  const element = z.codec(z.string().regex(/^\d+$/), z.bigint(), {
    decode: (text) => {
      seen.push(text)
      return BigInt(text)
    },
    encode: String,
  })
  const schema = z.strictObject({ list: zList(element, 4).min(1).describe('numbers') })
  const decode = (list: unknown) => z.safeDecode(schema, { list } as never)

  test('is told of once, by its first wrong element, and nothing after that is looked at', () => {
    seen.length = 0
    expect(decode(['1', 'x', 'y', '2']).error?.issues).toMatchObject([{ path: ['list', 1] }])
    expect(seen).toEqual(['1'])
    expect(decode(['1', 2, 3]).error?.issues).toMatchObject([{ path: ['list', 1], code: 'invalid_type' }])
  })

  test('that is too long is refused before any element is looked at', () => {
    seen.length = 0
    expect(decode(['1', '2', '3', '4', 'x']).error?.issues).toMatchObject([{ path: ['list'], code: 'too_big' }])
    expect(seen).toEqual([])
  })

  test('is otherwise what an array of zod is, both ways and in words', () => {
    expect(decode(['1', '2', '3', '4']).data).toEqual({ list: [1n, 2n, 3n, 4n] })
    expect(decode([]).error?.issues).toMatchObject([{ path: ['list'], code: 'too_small' }])
    expect(decode('1').error?.issues).toMatchObject([{ path: ['list'], code: 'invalid_type' }])
    expect(z.safeEncode(schema, { list: [1n, 2n] }).data).toEqual({ list: ['1', '2'] })
    expect(z.safeEncode(schema, { list: [1n, 2n, 3n, 4n, 5n] }).error?.issues).toMatchObject([{ code: 'too_big' }])
    expect(z.toJSONSchema(schema, { io: 'input' }).properties).toEqual({
      list: { type: 'array', minItems: 1, maxItems: 4, items: { type: 'string', pattern: '^\\d+$' }, description: 'numbers' },
    })
  })
})

/** Every array in `schema`, with its path, that is not a {@link zList}. */
function listPlainArrays(schema: unknown, path: string, seen = new Set<unknown>()): string[] {
  if (typeof schema !== 'object' || schema === null || seen.has(schema)) return []
  seen.add(schema)
  const def = (schema as { _zod?: { def: Record<string, unknown> } })._zod?.def
  if (def === undefined) return Object.entries(schema).flatMap(([key, part]) => listPlainArrays(part, `${path}.${key}`, seen))
  const here = def.type === 'array' && !('maxItems' in def) ? [path] : []
  const shape = def.type === 'object' ? (schema as z.ZodObject).shape : {}
  return [
    ...here,
    ...['element', 'innerType', 'in', 'out', 'options'].flatMap((key) => listPlainArrays(def[key], path, seen)),
    ...listPlainArrays(shape, path, seen),
  ]
}

test('every array on the wire is one', () => {
  expect(listPlainArrays(z.object({ a: z.union([z.string(), z.array(z.int())]).optional() }), 'x')).toEqual(['x.a.1'])
  for (const { id, params, query, body, response, events } of Object.values<Route>(routes))
    expect(listPlainArrays({ params, query, body, response, events }, id)).toEqual([])
  expect(listPlainArrays(zMinerStatus, 'status')).toEqual([])
})
