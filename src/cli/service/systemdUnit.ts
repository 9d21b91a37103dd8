import { tmpdir } from 'node:os'
import { restartExitCode, restartSeconds, type ServiceSpec } from './serviceSpec.ts'

/**
 * Text of a systemd unit (systemd.service(5), systemd.exec(5)). It restarts after a crash and after exit code 75, not after
 * errors that a restart cannot mend.
 */
export function formatSystemdUnit(spec: ServiceSpec): string {
  const isSystem = spec.scope === 'system'
  return toText([
    ['Unit', [`Description=${escapeSpecifiers(spec.description)}`, ...(isSystem ? ['Wants=network-online.target', 'After=network-online.target'] : [])]],
    [
      'Service',
      [
        'Type=exec',
        ...(isSystem ? [`User=${spec.user}`] : []),
        `ExecStart=${spec.command.map(quoteArgument).join(' ')}`,
        'Restart=on-abnormal',
        `RestartForceExitStatus=${restartExitCode}`,
        `RestartSec=${restartSeconds}`,
        'KillMode=mixed',
        `TimeoutStopSec=${spec.stopSeconds}`,
        ...(isSystem ? systemHardening(spec.home) : userHardening),
      ],
    ],
    ['Install', [`WantedBy=${isSystem ? 'multi-user' : 'default'}.target`]],
  ])
}

/** Keys never reach a core dump or another user's eyes. */
const userHardening = ['NoNewPrivileges=yes', 'LimitCORE=0', 'UMask=0077']

/**
 * What leaves GPUs and the runtime alone. Missing on purpose: PrivateDevices and ProtectClock, which hide or close device nodes;
 * MemoryDenyWriteExecute, which forbids V8's compiler and the drivers' shaders.
 */
function systemHardening(home: string): string[] {
  return [
    ...userHardening,
    'CapabilityBoundingSet=',
    'ProtectSystem=strict',
    'ProtectHome=read-only',
    `ReadWritePaths=${[home, tmpdir()].map(quotePath).join(' ')}`,
    'ProtectKernelTunables=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelLogs=yes',
    'ProtectControlGroups=yes',
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
    'RestrictNamespaces=yes',
    'RestrictSUIDSGID=yes',
    'LockPersonality=yes',
  ]
}

function toText(sections: [string, string[]][]): string {
  return sections.map(([name, lines]) => `[${name}]\n${lines.join('\n')}\n`).join('\n')
}

/** Command lines also expand `$NAME` (systemd.service(5), "Command lines"). */
function quoteArgument(text: string): string {
  return quotePath(text).replaceAll('$', '$$$$')
}

function quotePath(text: string): string {
  const escaped = escapeSpecifiers(text).replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')
  return /^[\w@%+=:,./-]+$/.test(escaped) ? escaped : `"${escaped}"`
}

function escapeSpecifiers(text: string): string {
  return text.replaceAll('%', '%%')
}
