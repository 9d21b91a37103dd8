import { z } from 'zod'

interface ListDef extends z.core.$ZodArrayDef {
  maxItems: number
}
interface List extends z.ZodArray {
  _zod: z.ZodArray['_zod'] & { def: ListDef }
}

/** zod's array tells of every wrong element, with some hundred bytes for each: this one has told enough with the first. */
const List: z.core.$constructor<List, ListDef> = z.core.$constructor('List', (inst, def) => {
  z.ZodArray.init(inst, def)
  const parseWhole = inst._zod.parse
  inst._zod.parse = (payload, context) => {
    const elements = payload.value
    // What we send ourselves may be told of whole; of what is too long no element is looked at.
    if (!Array.isArray(elements) || elements.length > def.maxItems || context.direction === 'backward') return parseWhole(payload, context)
    const decoded: unknown[] = []
    for (const [index, element] of elements.entries()) {
      const result = def.element._zod.run({ value: element, issues: [] }, context)
      if (result instanceof Promise) throw new z.core.$ZodAsyncError()
      if (result.issues.length > 0) {
        payload.issues.push(...z.core.util.prefixIssues(index, result.issues))
        return payload
      }
      decoded.push(result.value)
    }
    payload.value = decoded
    return payload
  }
})

/**
 * A list of at most `maxItems` elements, as every list on the wire is. What a peer can make us spend on a wrong one is bounded: a
 * longer list is refused before its elements are looked at, any other at its first wrong element.
 */
export function zList<T extends z.ZodType>(element: T, maxItems: number): z.ZodArray<T> {
  return new List({ type: 'array', element, maxItems }).max(maxItems) as unknown as z.ZodArray<T>
}
