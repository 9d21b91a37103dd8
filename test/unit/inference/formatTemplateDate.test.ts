import { expect, it } from 'vitest'
import { formatTemplateDate } from '../../../src/inference/formatTemplateDate.ts'

it('formats as Python strftime does, in English', () => {
  expect(formatTemplateDate('2026-02-03', '%d %b %Y')).toBe('03 Feb 2026')
  expect(formatTemplateDate('2024-12-29', '%A, %B %d, %y; %a %m %H:%M:%S %p %% %Q')).toBe('Sunday, December 29, 24; Sun 12 00:00:00 AM % %Q')
})
