/** What contracts/script/mutate.ts breaks, and what must turn red for it. */

/** One line of the contracts, broken. */
export type Breakage = {
  /** What is broken, in words. */
  name: string
  /** The line as it is: must occur exactly once in the file. */
  from: string
  /** The line as broken. */
  to: string
  /** Tests by function name, invariants by the name their message begins with; all of them must fail. */
  red: string[]
}

const sharePool: Breakage[] = [
  {
    name: 'shares bought are rounded up',
    from: 'return assetsWei * (self.shares + VIRTUAL_SHARES) / (uint256(self.assetsWei) + 1);',
    to: 'return assetsWei * (self.shares + VIRTUAL_SHARES) / (uint256(self.assetsWei) + 1) + 4e6;',
    red: ['enterThenExitNeverProfits', 'testFuzz_enterThenExitNeverProfits'],
  },
  {
    name: 'money paid out is rounded up',
    from: 'return shares * (uint256(self.assetsWei) + 1) / (self.shares + VIRTUAL_SHARES);',
    to: 'return shares * (uint256(self.assetsWei) + 1) / (self.shares + VIRTUAL_SHARES) + (shares == 0 ? 0 : 1);',
    red: ['testFuzz_voteEnterThenExitNeverProfits', 'testFuzz_exitNeverTakesMoreThanThereIs'],
  },
  {
    name: 'almost no virtual shares',
    from: 'uint256 internal constant VIRTUAL_SHARES = 1e6;',
    to: 'uint256 internal constant VIRTUAL_SHARES = 1;',
    red: ['test_firstHolderCannotProfitFromARise'],
  },
  {
    name: 'dust stays behind in an empty pool',
    from: 'if (self.shares == 0) (dustWei, self.assetsWei) = (self.assetsWei, 0);',
    to: '',
    red: ['test_lastExitSweepsTheDust', 'everyExitCanBeWithdrawn'],
  },
  {
    name: 'shares of an older generation live on',
    from: 'return generation == self.generation ? shares : 0;',
    to: 'return shares;',
    red: ['test_aTotalSlashDoesNotBrickTheVotePool', 'testFuzz_oldGenerationsAreWorthless', 'positionSharesAreThePoolsShares'],
  },
  {
    name: 'an exit leaves its shares in the pool',
    from: 'self.shares -= shares.toUint128();',
    to: '',
    red: ['positionSharesAreThePoolsShares', 'test_priceDoesNotClimb'],
  },
  {
    name: 'an exit takes its money twice from the pool',
    from: 'self.assetsWei -= assetsWei.toUint96();',
    to: 'self.assetsWei -= uint96(assetsWei > self.assetsWei / 2 ? assetsWei : 2 * assetsWei);',
    red: ['oneDoesNotTouchAnothersStake', 'test_enterAndLeaveManyTimes'],
  },
  {
    name: 'an entry adds no money to the pool',
    from: 'self.assetsWei += assetsWei.toUint96();',
    to: 'self.assetsWei += (assetsWei - assetsWei / 1e15).toUint96();',
    red: ['sharePriceFallsOnlyBySlash|balanceIsTheSumOfTheBuckets|oneDoesNotTouchAnothersStake', 'test_voteMoreAddsUp'],
  },
]

const staking: Breakage[] = [
  // ---- parameters ----
  {
    name: 'an epoch may outlast the thaw',
    from: ' || epochSeconds_ > thawSeconds_) {',
    to: ') {',
    red: ['test_bounds'],
  },
  {
    name: 'the signed structure lacks a field',
    from: 'Registration(address owner,address operator,uint8 role,uint256 nonce,uint64 deadline)',
    to: 'Registration(address owner,address operator,uint256 nonce,uint64 deadline)',
    red: ['test_registrationDigest'],
  },
  // ---- money ----
  {
    name: 'stake of nothing',
    from: 'if (msg.value == 0) revert AmountZero();',
    to: '',
    red: ['test_stakeOfNothing'],
  },
  {
    name: 'stake credits what was forced in',
    from: 'account.freeWei = (account.freeWei + _received()).toUint96();',
    to: 'account.freeWei = (account.freeWei + _received() + address(this).balance / 1e12).toUint96();',
    red: ['balanceIsTheSumOfTheBuckets', 'test_stake'],
  },
  {
    name: 'more than 96 bits may come in',
    from: 'address(this).balance.toUint96();',
    to: '',
    red: ['test_noMoreThan96BitsEver', 'test_registerCountsTowardsIt'],
  },
  {
    name: 'withdraw does not deduct',
    from: 'account.freeWei = (availableWei - paidWei).toUint96();',
    to: 'account.freeWei = availableWei.toUint96();',
    red: ['balanceIsTheSumOfTheBuckets', 'test_withdrawPart', 'test_nothingThatMovesMoneyIsReentered'],
  },
  {
    name: 'withdraw pays what is not there',
    from: 'if (paidWei > availableWei) revert InsufficientFree(availableWei, paidWei);',
    to: '',
    red: ['test_withdrawMoreThanFree'],
  },
  {
    name: 'withdraw may be re-entered',
    from: 'function withdraw(uint256[] calldata thawIds, uint256 freeWei, address payable to) external nonReentrant {',
    to: 'function withdraw(uint256[] calldata thawIds, uint256 freeWei, address payable to) external {',
    red: ['test_nothingThatMovesMoneyIsReentered'],
  },
  {
    name: 'a payment to nobody',
    from: 'if (to == address(0)) revert ParameterInvalid("to");',
    to: '',
    red: ['test_withdrawToZero'],
  },
  {
    name: 'a failed payment is taken for paid',
    from: 'if (!paid) revert TransferFailed(to, amountWei);',
    to: '',
    red: ['test_withdrawToAContractThatRefuses', 'test_gasBurnerHurtsOnlyWhoChoseIt'],
  },
  {
    name: "the receiver's answer is copied",
    from: 'paid := call(gas(), to, amountWei, 0, 0, 0, 0)',
    to: 'paid := call(gas(), to, amountWei, 0, 0, 0, 0) returndatacopy(mload(0x40), 0, returndatasize())',
    red: ['test_returnBomb'],
  },
  {
    name: 'an exit before its time',
    from: 'if (block.timestamp < thaw.releaseAt) revert ThawNotReleased(id, thaw.releaseAt);',
    to: '',
    red: ['nothingLeavesBeforeItsTime', 'test_withdrawToTheSecond'],
  },
  {
    name: 'an exit a second before its time',
    from: 'if (block.timestamp < thaw.releaseAt) revert ThawNotReleased(id, thaw.releaseAt);',
    to: 'if (block.timestamp + 1 < thaw.releaseAt) revert ThawNotReleased(id, thaw.releaseAt);',
    red: ['test_withdrawToTheSecond'],
  },
  {
    name: 'an exit that can be taken twice',
    from: 'delete _thaws[msg.sender][id];',
    to: '',
    red: ['test_withdrawTheSameThawTwice', 'liveThawSharesAreTheThawPoolsShares'],
  },
  {
    name: 'an exit that was never there',
    from: 'if (thaw.releaseAt == 0) revert ThawUnknown(msg.sender, id);',
    to: '',
    red: ['test_withdrawSomebodyElsesThaw', 'test_withdrawTheSameThawTwice'],
  },
  {
    name: 'exits share one id',
    from: 'id = _accounts[msg.sender].thawCount++;',
    to: 'id = _accounts[msg.sender].thawCount;',
    red: ['liveThawSharesAreTheThawPoolsShares', 'test_withdrawMaturedThaws'],
  },
  {
    name: 'the bond stays while it thaws',
    from: 'node.bondWei = (bondWei - amountWei).toUint96();',
    to: '',
    red: ['balanceIsTheSumOfTheBuckets', 'test_unbondAndStayActive'],
  },
  {
    name: 'bond out of nothing',
    from: 'if (amountWei > availableWei) revert InsufficientFree(availableWei, amountWei);',
    to: 'if (amountWei > availableWei) amountWei = availableWei;',
    red: ['test_bondReverts', 'test_registerWithoutTheMoney'],
  },
  {
    name: 'dust is lost',
    from: 'if (dustWei != 0) _undistributedWei += dustWei;',
    to: '',
    red: ['everyExitCanBeWithdrawn', 'test_lastExitSweepsTheDust'],
  },
  {
    name: "thawing votes enter the bond's pool",
    from: 'id = _startThaw(node, ThawKind.Votes, voted.thawingVotes, amountWei);',
    to: 'id = _startThaw(node, ThawKind.Votes, voted.thawingBond, amountWei);',
    red: ['liveThawSharesAreTheThawPoolsShares', 'test_thawingStakeIsSlashedInTheSameRatio'],
  },
  {
    name: 'the thaw is a second short',
    from: 'return (block.timestamp + thawSeconds).toUint64();',
    to: 'return (block.timestamp + thawSeconds - 1).toUint64();',
    red: ['liveThawSharesAreTheThawPoolsShares', 'test_withdrawToTheSecond', 'test_deregister'],
  },
  // ---- votes ----
  {
    name: 'votes beyond 16 times the bond',
    from: 'if (votes.assetsWei > limitWei) revert VotesOverLimit(votes.assetsWei, limitWei);',
    to: '',
    red: ['test_voteReverts', 'test_aNodeWithoutBondIsClosedForEntryAndOpenForExit'],
  },
  {
    name: 'no least number of shares for the voter',
    from: 'if (shares < minShares) revert SlippageShares(shares, minShares);',
    to: '',
    red: ['test_minSharesGuardsTheVictim', 'test_voteReverts'],
  },
  {
    name: 'no least amount for the leaver',
    from: 'if (amountWei < minAmountWei) revert SlippageAmount(amountWei, minAmountWei);',
    to: '',
    red: ['test_unvoteReverts'],
  },
  {
    name: 'no minimum on entry',
    from: '_requireMinimum(votes, shares, amountWei);',
    to: '',
    red: ['test_voteReverts'],
  },
  {
    name: 'no minimum on what remains',
    from: 'if (keptShares != 0) _requireMinimum(votes, keptShares, votes.toAssets(keptShares));',
    to: '',
    red: ['test_whatRemainsIsHeldToTheMinimum', 'test_unvoteReverts'],
  },
  {
    name: 'a minimum in wei alone',
    from: 'if (amountWei >= MIN_VOTE && shares >= MIN_SHARES) return;',
    to: 'if (amountWei >= MIN_VOTE) return;',
    red: ['test_rewardsToOneselfDoNotRatchetThePrice'],
  },
  {
    name: 'the minimum locks a whole exit',
    from: 'if (keptShares != 0) _requireMinimum(',
    to: '_requireMinimum(',
    red: ['test_unvoteFromANodeThatHasLeft', 'test_aPositionSlashedBelowTheMinimumLeavesWhole'],
  },
  {
    name: 'more shares than one has',
    from: 'if (shares > heldShares) revert InsufficientShares(heldShares, shares);',
    to: 'if (shares > heldShares) heldShares = shares;',
    red: ['test_unvoteReverts', 'test_aTotalSlashDoesNotBrickTheVotePool'],
  },
  {
    name: 'votes are kept after they left',
    from: 'position.shares = keptShares.toUint128();',
    to: '',
    red: ['positionSharesAreThePoolsShares', 'test_unvote'],
  },
  {
    name: 'a vote forgets the earlier ones',
    from: '((heldShares + shares).toUint128(), votes.generation)',
    to: '(shares.toUint128(), votes.generation)',
    red: ['positionSharesAreThePoolsShares', 'test_voteMoreAddsUp'],
  },
  {
    name: 'a vote does not join the new generation',
    from: '((heldShares + shares).toUint128(), votes.generation)',
    to: '((heldShares + shares).toUint128(), position.generation)',
    red: ['positionSharesAreThePoolsShares', 'test_aTotalSlashDoesNotBrickTheVotePool'],
  },
  {
    name: 'votes for a node that has left',
    from: 'if (!found.registered) revert NotRegistered(node);',
    to: '',
    red: ['test_onlyRegisteredOwners', 'test_bondReverts'],
  },
  // ---- weights and epochs ----
  {
    name: 'exactly the threshold is enough',
    from: 'if (!node.registered || standing.bondWei <= threshold(standing.role)) return standing;',
    to: 'if (!node.registered || standing.bondWei < threshold(standing.role)) return standing;',
    red: ['test_exactlyTheThresholdIsNotEnough', 'test_unbondBelowTheThreshold'],
  },
  {
    name: 'any bond is enough to count',
    from: 'if (!node.registered || standing.bondWei <= threshold(standing.role)) return standing;',
    to: 'if (!node.registered) return standing;',
    red: ['weightsAndTotalsAgree', 'test_exactlyTheThresholdIsNotEnough', 'testFuzz_weight'],
  },
  {
    name: 'exactly the threshold registers',
    from: 'if (bondWei <= threshold(role)) revert BondTooLow(bondWei, threshold(role));',
    to: 'if (bondWei < threshold(role)) revert BondTooLow(bondWei, threshold(role));',
    red: ['test_registerWithTooLittle'],
  },
  {
    name: 'all votes count, however many',
    from: 'Math.min(standing.votesWei, MAX_VOTES_PER_BOND * standing.bondWei)',
    to: 'standing.votesWei',
    red: ['weightsAndTotalsAgree', 'test_votesOverTheLimitAfterUnbond', 'testFuzz_weight'],
  },
  {
    name: 'the total weight keeps what was',
    from: 'totals.weightWei = (totals.weightWei + standing.weightWei - before.weightWei).toUint128();',
    to: 'totals.weightWei = (totals.weightWei + standing.weightWei).toUint128();',
    red: ['weightsAndTotalsAgree', 'test_deregister'],
  },
  {
    name: 'the total bond keeps what was',
    from: '(totalBondWei + standing.activeBondWei - before.activeBondWei)',
    to: '(totalBondWei + standing.activeBondWei)',
    red: ['activeBondsOfEpochsAgree', 'testFuzz_epochs'],
  },
  {
    name: 'each change in an epoch moves it on',
    from: 'if (node.epoch != epoch) {',
    to: '{',
    red: ['activeBondsOfEpochsAgree', 'test_inAndOutWithinAnEpochCountsNowhere', 'testFuzz_epochs'],
  },
  {
    name: 'each change of the total moves it on',
    from: 'if (totals.epoch != epoch) (totals.previousActiveBondWei',
    to: '(totals.previousActiveBondWei',
    red: ['activeBondsOfEpochsAgree', 'test_inAndOutWithinAnEpochCountsNowhere', 'testFuzz_epochs'],
  },
  {
    name: 'the epoch before ends with the new bond',
    from: '(before.activeBondWei.toUint96(), epoch)',
    to: '(standing.activeBondWei.toUint96(), epoch)',
    red: ['activeBondsOfEpochsAgree', 'test_manyMovesKeepWhatThePreviousEpochEndedWith'],
  },
  {
    name: 'an untouched node has no bond in the epoch before',
    from: 'return changedIn == epochNow ? previous : current;',
    to: 'return previous;',
    red: ['test_epochs', 'test_epochsNobodyTouched', 'testFuzz_epochs'],
  },
  {
    name: 'any epoch is answered',
    from: 'if (uint256(epoch) + 1 != epochNow) revert ParameterInvalid("epoch");',
    to: '',
    red: ['test_otherEpochsAreUnknown'],
  },
  // ---- roles, operators, lists ----
  {
    name: 'the role changes under its voters',
    from: 'if (node.votes.shares != 0 || counts) revert RoleLocked(msg.sender, previous);',
    to: 'if (counts) revert RoleLocked(msg.sender, previous);',
    red: ['test_roleIsLockedWhileVotesRemain'],
  },
  {
    name: 'bond of one role counts for another',
    from: 'if (node.votes.shares != 0 || counts) revert RoleLocked(msg.sender, previous);',
    to: 'if (node.votes.shares != 0) revert RoleLocked(msg.sender, previous);',
    red: ['test_roleIsLockedWhileTheOldBondCounts'],
  },
  {
    name: 'registered twice',
    from: 'if (node.registered) revert AlreadyRegistered(msg.sender);',
    to: '',
    red: ['test_registerTwice'],
  },
  {
    name: 'an operator of two owners',
    from: 'if (owner != address(0) && owner != msg.sender) revert OperatorTaken(operator, owner);',
    to: '',
    red: ['anOperatorHasOneOwnerForEver', 'test_aKeyBelongsToOneOwnerForEver'],
  },
  {
    name: 'no operator at all',
    from: 'if (operator == address(0)) revert OperatorZero();',
    to: '',
    red: ['test_registerWithoutAnOperator'],
  },
  {
    name: 'a signature for ever',
    from: 'if (block.timestamp > deadline) revert SignatureExpired(deadline, block.timestamp.toUint64());',
    to: '',
    red: ['test_afterItsDeadline'],
  },
  {
    name: 'anybody signs for the operator',
    from: 'if (signer != operator) revert OperatorSignatureInvalid(operator);',
    to: '',
    red: ['test_forAnotherOwner', 'test_onAnotherChain', 'test_frontRunARegistration', 'testFuzz_foreignSignatures'],
  },
  {
    name: 'a signature used twice',
    from: 'node.role, node.nonce++, deadline);',
    to: 'node.role, node.nonce, deadline);',
    red: ['test_twice', 'test_registerWithValue'],
  },
  {
    name: 'a rotated key counts for ever',
    from: 'if (previous != address(0)) _operators[previous].validUntil = _thawEnd();',
    to: '',
    red: ['anOperatorHasOneOwnerForEver', 'test_setOperator', 'test_anOldKeyGainsNoTime'],
  },
  {
    name: 'the key of a node that left counts for ever',
    from: '_operators[node.operator].validUntil = _thawEnd();',
    to: '',
    red: ['anOperatorHasOneOwnerForEver', 'test_deregister'],
  },
  {
    name: 'a node that left keeps its operator',
    from: 'node.operator = address(0);',
    to: '',
    red: ['anOperatorHasOneOwnerForEver', 'test_deregister', 'test_aNodeThatLeftGivesItsOldKeyNoMoreTime'],
  },
  {
    name: 'a node that left keeps its bond',
    from: 'node.bondWei = 0;',
    to: '',
    red: ['balanceIsTheSumOfTheBuckets', 'test_deregister'],
  },
  {
    name: 'the moved node keeps its old place',
    from: '_nodes[moved.node].place = place;',
    to: '',
    red: ['listsHoldEveryNodeOnce', 'test_theMovedOneLeavesToo', 'test_everybodyLeavesInEitherOrder'],
  },
  {
    name: 'the list keeps a node that left',
    from: '_listings[role][place] = moved;',
    to: '',
    red: ['listsHoldEveryNodeOnce', 'test_leaveFirstMiddleAndLast'],
  },
  {
    name: 'a node stays registered when it leaves',
    from: '(node.place, node.registered) = (0, false);',
    to: 'node.place = 0;',
    red: ['test_deregister', 'listsHoldEveryNodeOnce'],
  },
  // ---- voter share and profile ----
  {
    name: "a drop of the voters' share takes effect at once",
    from: 'node.voterShareBps = inForce;',
    to: 'node.voterShareBps = voterShareBps;',
    red: ['test_voterShareDropsAfterOneThaw', 'testFuzz_voterShare'],
  },
  {
    name: "a drop of the voters' share never comes",
    from: 'return nextAt != 0 && block.timestamp >= nextAt ? node.nextVoterShareBps : node.voterShareBps;',
    to: 'return node.voterShareBps;',
    red: ['test_voterShareDropsAfterOneThaw', 'testFuzz_voterShare'],
  },
  {
    name: 'coming back skips the notice',
    from: 'if (node.votes.shares == 0) (node.voterShareBps, node.nextVoterShareAt) = (0, 0);',
    to: '(node.voterShareBps, node.nextVoterShareAt) = (0, 0);',
    red: ['test_reRegisteringDoesNotSkipTheNotice'],
  },
  {
    name: 'a drop of the former life comes true',
    from: 'if (node.votes.shares == 0) (node.voterShareBps, node.nextVoterShareAt) = (0, 0);',
    to: '',
    red: ['test_withoutVotersThereIsNobodyToWarn'],
  },
  {
    name: 'more than all income for voters',
    from: 'if (voterShareBps > BPS) revert VoterShareTooHigh(voterShareBps);',
    to: '',
    red: ['test_voterShareTooHigh', 'test_registerWithTooHighAVoterShare'],
  },
  {
    name: 'a node without a name',
    from: 'if (length == 0 || length > MAX_NAME_BYTES)',
    to: 'if (length > MAX_NAME_BYTES)',
    red: ['test_profileBounds', 'testFuzz_profile'],
  },
]

const harness: Breakage[] = [
  {
    name: 'a slash leaves a pool below the floor',
    from: 'if (pool.shares + SharePool.VIRTUAL_SHARES <= floorShares) return takenWei;',
    to: 'if (floorShares != 0) return takenWei;',
    red: ['pricesStayAboveTheFloor|balanceIsTheSumOfTheBuckets', 'test_aTotalSlashDoesNotBrickTheVotePool'],
  },
  {
    name: 'a slash spares what thaws',
    from: 'takenWei += _lower(node.thawingBond, bondWad);',
    to: '',
    red: ['test_thawingStakeIsSlashedInTheSameRatio', 'test_whatCountsIsAtRisk'],
  },
  {
    name: 'a slash takes more than it says',
    from: 'takenWei += _lower(node.votes, votesWad);',
    to: '_lower(node.votes, votesWad);',
    red: ['sharePriceFallsOnlyBySlash|balanceIsTheSumOfTheBuckets', 'test_thawingStakeIsSlashedInTheSameRatio'],
  },
]

/** Each of these must have been red for some breakage. */
export const invariants = [
  'nothingLeavesBeforeItsTime',
  'enterThenExitNeverProfits',
  'oneDoesNotTouchAnothersStake',
  'sharePriceFallsOnlyBySlash',
  'balanceIsTheSumOfTheBuckets',
  'positionSharesAreThePoolsShares',
  'liveThawSharesAreTheThawPoolsShares',
  'pricesStayAboveTheFloor',
  'weightsAndTotalsAgree',
  'activeBondsOfEpochsAgree',
  'listsHoldEveryNodeOnce',
  'anOperatorHasOneOwnerForEver',
  'everyExitCanBeWithdrawn',
]

/** The breakages of each file, by its path from the root. */
export const files: [string, Breakage[]][] = [
  ['contracts/src/libraries/SharePool.sol', sharePool],
  ['contracts/src/Staking.sol', staking],
  ['contracts/test/utils/StakingHarness.sol', harness],
]
