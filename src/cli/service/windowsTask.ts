import { escapeXml } from './escapeXml.ts'
import type { ServiceSpec } from './serviceSpec.ts'

/**
 * Text of a task for the Windows Task Scheduler (schema 1.2). It starts with the machine, or when its user logs on, and again a
 * minute after every end but a good one, which is the shortest that the schema allows.
 */
export function formatWindowsTask(spec: ServiceSpec): string {
  const [program, ...rest] = spec.command
  const isSystem = spec.scope === 'system'
  const user = escapeXml(spec.user)
  return `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>${escapeXml(spec.description)}</Description>
  </RegistrationInfo>
  <Triggers>
    ${isSystem ? '<BootTrigger />' : `<LogonTrigger>\n      <UserId>${user}</UserId>\n    </LogonTrigger>`}
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>${user}</UserId>
      <LogonType>${isSystem ? 'S4U' : 'InteractiveToken'}</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>999</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>${escapeXml(program)}</Command>
      <Arguments>${escapeXml(rest.map(quoteArgument).join(' '))}</Arguments>
    </Exec>
  </Actions>
</Task>
`
}

/**
 * One argument as CommandLineToArgvW reads it back: backslashes count only before a quote
 * (learn.microsoft.com/en-us/cpp/c-language/parsing-c-command-line-arguments).
 */
function quoteArgument(text: string): string {
  if (text !== '' && !/[\s"]/.test(text)) return text
  return `"${text.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`
}
