import type { Suite } from '../breakages.ts'

/** At least one breakage for each invariant of the whole network, in whichever contract breaks it. */
export const network: Suite = {
  name: 'network',
  tests: ['invariant/Network.t.sol'],
  files: [
    [
      'contracts/src/libraries/SharePool.sol',
      [
        {
          name: 'shares are sold for less than they are worth',
          from: 'paidWei = Math.ceilDiv(shares * (self.assetsWei + 1), self.shares + VIRTUAL_SHARES);',
          to: 'paidWei = Math.ceilDiv(shares * (self.assetsWei + 1), self.shares + VIRTUAL_SHARES) - 4;',
          red: ['enterThenExitNeverProfits'],
        },
        {
          name: 'an exit takes its money twice from the pool',
          from: 'self.assetsWei -= assetsWei;\n        self.shares -= shares;',
          to: 'self.assetsWei -= assetsWei > self.assetsWei / 2 ? assetsWei : 2 * assetsWei;\n        self.shares -= shares;',
          red: ['oneDoesNotTouchAnothersStake', 'stakingBalanceIsTheSumOfTheBuckets'],
        },
        {
          name: 'an entry adds less money than it brings',
          from: 'self.assetsWei += paidWei;',
          to: 'self.assetsWei += paidWei - paidWei / 1e6;',
          red: ['sharePriceFallsOnlyBySlash'],
        },
        {
          name: 'a slash leaves a pool below the floor',
          from: 'if (self.shares + VIRTUAL_SHARES <= mostShares) return assetsWei;',
          to: 'if (mostShares != 0) return assetsWei;',
          red: ['pricesStayAboveTheFloor'],
        },
      ],
    ],
    [
      'contracts/src/Staking.sol',
      [
        {
          name: 'withdraw does not deduct',
          from: 'account.freeWei = (availableWei - paidWei).toUint96();',
          to: 'account.freeWei = availableWei.toUint96();',
          red: ['stakingBalanceIsTheSumOfTheBuckets'],
        },
        {
          name: 'an exit before its time',
          from: 'if (block.timestamp < releaseAt) revert ThawNotReleased(id, releaseAt);',
          to: '',
          red: ['nothingLeavesBeforeItsTime'],
        },
        {
          name: 'a freeze holds nothing',
          from: 'uint256 heldShares = kind == ThawKind.Bond ? _frozenShares(id, releaseAt, pool, shares) : 0;',
          to: 'uint256 heldShares = 0;',
          red: ['aFreezeHoldsTheBond'],
        },
        {
          name: 'a freeze holds votes too',
          from: 'uint256 heldShares = kind == ThawKind.Bond ? _frozenShares(id, releaseAt, pool, shares) : 0;',
          to: 'uint256 heldShares = kind == ThawKind.Votes ? shares / 2 : 0;',
          red: ['everyExitCanBeWithdrawn'],
        },
        {
          name: 'votes are kept after they left',
          from: '_setPosition(node, votes, keptShares);',
          to: '',
          red: ['positionSharesAreThePoolsShares'],
        },
        {
          name: 'an exit forgets the one of the same second',
          from: 'shares += pool.liveShares(thaw.shares, thaw.generation);',
          to: '',
          red: ['liveThawSharesAreTheThawPoolsShares'],
        },
        {
          name: 'an operator of two owners',
          from: 'if (owner != address(0) && owner != msg.sender) revert OperatorTaken(operator, owner);',
          to: '',
          red: ['anOperatorHasOneOwnerForEver'],
        },
        {
          name: 'bond under lines thaws',
          from: 'if (node.bondWei < requiredWei) revert BondCommitted(node.bondWei, requiredWei);',
          to: '',
          red: ['linesAreCoveredWhileNobodyWasSlashed'],
        },
      ],
    ],
    [
      'contracts/src/Settlement.sol',
      [
        {
          name: 'what was earned is earned again',
          from: 'node.rewardIndex = node.flow.index;',
          to: '',
          red: ['claimedAndClaimableAreAtMostFunded', 'stakingBalanceIsTheSumOfTheBuckets'],
        },
        {
          name: 'the total weight keeps what was',
          from: 'node.flow.weightWei = node.flow.weightWei + weightWei - node.weightBeforeWei;',
          to: 'node.flow.weightWei = node.flow.weightWei + weightWei;',
          red: ['weightsAndTotalsAgree'],
        },
        {
          name: 'each change in an epoch moves it on',
          from: 'if (stored.epoch != epoch) {',
          to: '{',
          red: ['activeBondsOfEpochsAgree'],
        },
      ],
    ],
    [
      'contracts/src/StakingHooks.sol',
      [
        {
          name: "the votes' part of a slash is lost",
          from: '_addToPool(takenWei - paidWei + votesWei);',
          to: '_addToPool(takenWei - paidWei);',
          red: ['aSlashTakesWhatItSays', 'stakingBalanceIsTheSumOfTheBuckets'],
        },
        {
          name: 'a slash takes a tenth of the votes, whatever it is',
          from: 'uint256 votesWad = Math.min(bondWei * (WAD / 10) / allWei, MAX_VOTES_WAD);',
          to: 'uint256 votesWad = bondWei * (WAD / 10) / allWei;',
          red: ['aSlashTakesInOneRatio'],
        },
        {
          name: 'a slash spares half of what thaws',
          from: 'activeWei = bondWei - thawingBond.assetsWei * bondWei / allWei;\n        thawingWei = _lower(thawingBond, bondWei, allWei);',
          to: 'activeWei = bondWei - thawingBond.assetsWei * bondWei / allWei;\n        thawingWei = _lower(thawingBond, bondWei / 2, allWei);',
          red: ['aSlashTakesInOneRatio', 'aSlashTakesWhatItSays'],
        },
      ],
    ],
    [
      'contracts/src/Payments.sol',
      [
        {
          name: 'redeemed from escrow that stays',
          from: 'books.escrowWei -= paidWei.toUint96();',
          to: '',
          red: ['paymentsBalanceIsTheEscrow'],
        },
        {
          name: 'a voucher pays the whole line',
          from: 'Math.saturatingSub(Math.min(voucher.cumulativeWei, line.capWei), line.redeemedWei)',
          to: 'Math.saturatingSub(line.capWei, line.redeemedWei)',
          red: ['redeemedIsAtMostSigned'],
        },
        {
          name: 'open lines stay',
          from: 'books.openWei -= dueWei.toUint96();',
          to: '',
          red: ['openLinesAddUp'],
        },
        {
          name: 'escrow under lines leaves',
          from: '_requireCovered(msg.sender, true);\n        emit EscrowThaw',
          to: 'emit EscrowThaw',
          red: ['linesAreCoveredWhileNobodyWasSlashed'],
        },
        {
          name: 'a claim is paid twice',
          from: 'delete _claims[claimId];',
          to: '',
          red: ['aClaimIsPaidOnce'],
        },
        {
          name: 'a claim before its time',
          from: 'if (block.timestamp < releaseAt) revert ClaimNotReleased(claimId, releaseAt);',
          to: '',
          red: ['nothingLeavesBeforeItsTime'],
        },
        {
          name: 'a penalty as often as one likes',
          from: '_claims[claimId].penalised = true;',
          to: '',
          red: ['aPenaltyIsATenthOnce'],
        },
        {
          name: 'a closed claim still binds the bond',
          from: 'books.claimsWei -= claim.amountWei;',
          to: '',
          red: ['everyExitCanBeWithdrawn'],
        },
      ],
    ],
    [
      'contracts/src/Epochs.sol',
      [
        {
          name: 'a reveal does not end the suspension',
          from: 'if (--overdueCount[coordinator] == 0) staking.resume(coordinator);',
          to: '--overdueCount[coordinator];',
          red: ['suspendedWhileARevealIsOwed'],
        },
      ],
    ],
    [
      'contracts/src/Cases.sol',
      [
        {
          name: 'evidence is never used up',
          from: '_keys[key] = consumed ? CONSUMED : 0;',
          to: '_keys[key] = 0;',
          red: ['theSameEvidenceNeverSlashesTwice'],
        },
        {
          name: "a reporter's cut before its time",
          from: 'if (block.timestamp < cut.releaseAt) revert CreditNotReleased(caseId, cut.releaseAt);',
          to: '',
          red: ['nothingLeavesBeforeItsTime'],
        },
      ],
    ],
    [
      'contracts/src/Juries.sol',
      [
        {
          name: 'money is handed on and kept',
          from: 'return potWei - keptWei;',
          to: 'return potWei;',
          red: ['courtBalanceIsPotsCreditsAndCuts'],
        },
        {
          name: 'the accused sits on its own jury',
          from: 'if (excluded[i] == node) return 0;',
          to: '',
          red: ['seatsSumNearTheSize'],
        },
        {
          name: 'a juror is fined as often as one likes',
          from: 'if (seat.fined || !(silent',
          to: 'if (!(silent',
          red: ['aJurorIsFinedAtMostOnce'],
        },
        {
          name: 'a juror is paid as often as the pot allows',
          from: '|| seat.paid ||',
          to: '||',
          red: ['aJurorIsPaidAtMostOnce'],
        },
      ],
    ],
    [
      'contracts/src/Records.sol',
      [
        {
          name: 'a closed dispute counts as open',
          from: 'record.openDisputes -= 1;',
          to: '',
          red: ['recordsAgreeWithDisputes'],
        },
        {
          name: 'a second conviction takes as little as the first',
          from: 'return (step == 1 ? SECOND_BPS : BPS, true);',
          to: 'return (FIRST_BPS, true);',
          red: ['aSlashTakesWhatItSays'],
        },
      ],
    ],
  ],
  invariants: [
    'nothingLeavesBeforeItsTime',
    'enterThenExitNeverProfits',
    'oneDoesNotTouchAnothersStake',
    'sharePriceFallsOnlyBySlash',
    'aSlashTakesWhatItSays',
    'aSlashTakesInOneRatio',
    'aFreezeHoldsTheBond',
    'theSameEvidenceNeverSlashesTwice',
    'seatsSumNearTheSize',
    'aJurorIsFinedAtMostOnce',
    'aJurorIsPaidAtMostOnce',
    'aClaimIsPaidOnce',
    'aPenaltyIsATenthOnce',
    'stakingBalanceIsTheSumOfTheBuckets',
    'paymentsBalanceIsTheEscrow',
    'courtBalanceIsPotsCreditsAndCuts',
    'claimedAndClaimableAreAtMostFunded',
    'positionSharesAreThePoolsShares',
    'liveThawSharesAreTheThawPoolsShares',
    'pricesStayAboveTheFloor',
    'weightsAndTotalsAgree',
    'activeBondsOfEpochsAgree',
    'anOperatorHasOneOwnerForEver',
    'redeemedIsAtMostSigned',
    'openLinesAddUp',
    'linesAreCoveredWhileNobodyWasSlashed',
    'suspendedWhileARevealIsOwed',
    'recordsAgreeWithDisputes',
    'everyExitCanBeWithdrawn',
  ],
}
