// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Court} from "../../src/Court.sol";
import {Epochs} from "../../src/Epochs.sol";
import {Payments} from "../../src/Payments.sol";
import {IPayments} from "../../src/interfaces/IPayments.sol";
import {IRewards} from "../../src/interfaces/IRewards.sol";
import {IStaking, ThawKind} from "../../src/interfaces/IStaking.sol";
import {Role} from "../../src/interfaces/Role.sol";
import {Pool} from "../../src/libraries/SharePool.sol";
import {StakingHarness} from "../utils/StakingHarness.sol";
import {FuzzSelector, vm} from "../utils/Vm.sol";
import {CourtActions} from "./handlers/CourtActions.sol";
import {NetworkHandler} from "./handlers/NetworkHandler.sol";
import {PaymentActions} from "./handlers/PaymentActions.sol";
import {RewardActions} from "./handlers/RewardActions.sol";
import {StakeActions} from "./handlers/StakeActions.sol";
import {TimeActions} from "./handlers/TimeActions.sol";
import {World} from "./handlers/World.sol";

/// @notice What holds after any sequence of steps of the whole network: stake, rewards, payments, epochs and a court with all
/// its disputes' lives. All are checked in one campaign, as in Staking.t.sol; a failure's message begins with the names of what
/// broke, and contracts/script/mutate.ts expects those names. What single steps must keep, the handlers check (World.sol).
contract NetworkInvariants {
    uint256 private constant ACTORS = 10;
    uint256 private constant NODES = 7;

    NetworkHandler private handler;
    StakingHarness private staking;
    Payments private payments;
    Court private court;
    Epochs private epochs;
    address[] private actors;

    function setUp() public {
        handler = new NetworkHandler();
        (staking, payments, court, epochs) = handler.network();
        actors = handler.allActors();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        // Often those that build a state up, seldom those that tear it down.
        bytes4[48] memory selectors = [
            StakeActions.stake.selector,
            StakeActions.withdrawFree.selector,
            StakeActions.withdrawExit.selector,
            StakeActions.withdrawExit.selector,
            StakeActions.withdrawExit.selector,
            StakeActions.bond.selector,
            StakeActions.unbond.selector,
            StakeActions.unbond.selector,
            StakeActions.vote.selector,
            StakeActions.vote.selector,
            StakeActions.vote.selector,
            StakeActions.unvote.selector,
            StakeActions.unvote.selector,
            StakeActions.enterThenExit.selector,
            StakeActions.enterThenExit.selector,
            StakeActions.register.selector,
            StakeActions.deregister.selector,
            StakeActions.setOperator.selector,
            StakeActions.takeOperator.selector,
            StakeActions.setVoterShare.selector,
            StakeActions.restOrRejoin.selector,
            StakeActions.recover.selector,
            RewardActions.fund.selector,
            RewardActions.fundPool.selector,
            RewardActions.pour.selector,
            RewardActions.settle.selector,
            RewardActions.claim.selector,
            PaymentActions.deposit.selector,
            PaymentActions.askEscrowBack.selector,
            PaymentActions.withdrawEscrow.selector,
            PaymentActions.raiseLine.selector,
            PaymentActions.raiseLine.selector,
            PaymentActions.noticeLine.selector,
            PaymentActions.applyNotice.selector,
            PaymentActions.redeem.selector,
            PaymentActions.redeem.selector,
            PaymentActions.redeem.selector,
            PaymentActions.settleClaim.selector,
            PaymentActions.commitEpoch.selector,
            PaymentActions.revealEpoch.selector,
            PaymentActions.suspend.selector,
            TimeActions.warp.selector,
            TimeActions.forceValue.selector,
            CourtActions.report.selector,
            CourtActions.repeatEvidence.selector,
            CourtActions.fineJurors.selector,
            CourtActions.withdrawCredit.selector,
            CourtActions.withdrawCut.selector
        ];
        // A dispute takes a dozen steps.
        bytes4[10] memory often = [
            CourtActions.challenge.selector,
            CourtActions.challenge.selector,
            CourtActions.advance.selector,
            CourtActions.advance.selector,
            CourtActions.advance.selector,
            CourtActions.advance.selector,
            CourtActions.advance.selector,
            CourtActions.creditJurors.selector,
            CourtActions.slash.selector,
            NetworkHandler.leaveUnderSuspicion.selector
        ];
        targets = new FuzzSelector[](1);
        targets[0].addr = address(handler);
        targets[0].selectors = new bytes4[](selectors.length + often.length);
        for (uint256 i = 0; i < selectors.length; ++i) {
            targets[0].selectors[i] = selectors[i];
        }
        for (uint256 i = 0; i < often.length; ++i) {
            targets[0].selectors[selectors.length + i] = often[i];
        }
    }

    function invariant_all() public view {
        string memory broken = _foundBySteps();
        broken = _check(this.stakingBalanceIsTheSumOfTheBuckets, broken);
        broken = _check(this.paymentsBalanceIsTheEscrow, broken);
        broken = _check(this.courtBalanceIsPotsCreditsAndCuts, broken);
        broken = _check(this.claimedAndClaimableAreAtMostFunded, broken);
        broken = _check(this.positionSharesAreThePoolsShares, broken);
        broken = _check(this.liveThawSharesAreTheThawPoolsShares, broken);
        broken = _check(this.pricesStayAboveTheFloor, broken);
        broken = _check(this.weightsAndTotalsAgree, broken);
        broken = _check(this.activeBondsOfEpochsAgree, broken);
        broken = _check(this.anOperatorHasOneOwnerForEver, broken);
        broken = _check(this.redeemedIsAtMostSigned, broken);
        broken = _check(this.openLinesAddUp, broken);
        broken = _check(this.linesAreCoveredWhileNobodyWasSlashed, broken);
        broken = _check(this.suspendedWhileARevealIsOwed, broken);
        broken = _check(this.recordsAgreeWithDisputes, broken);
        vm.assertEq(bytes(broken).length, 0, broken);
    }

    function _foundBySteps() private view returns (string memory broken) {
        string[] memory findings = handler.findings();
        for (uint256 i = 0; i < findings.length; ++i) {
            broken = string.concat(broken, findings[i], "; ");
        }
    }

    /// @dev Goes on after a failure, so that the message names all that broke.
    function _check(function() external view invariant_, string memory broken) private view returns (string memory) {
        try invariant_() {
            return broken;
        } catch (bytes memory data) {
            // Cheat codes revert with CheatcodeError(string): the string begins behind selector, offset and length.
            if (data.length < 68) return string.concat(broken, "revert; ");
            assembly ("memory-safe") {
                data := add(data, 68)
            }
            return string.concat(broken, string(data), "; ");
        }
    }

    // ---- money ----

    /// @dev To the wei but for what divisions of rewards leave: every wei that came in is in one bucket.
    function stakingBalanceIsTheSumOfTheBuckets() external view {
        uint256 sumWei = _undealtWei();
        for (uint256 i = 0; i < ACTORS; ++i) {
            address actor = actors[i];
            sumWei += staking.getAccount(actor).freeWei;
            if (i >= NODES) continue;
            (uint256 bondWei,) = staking.bondOf(actor);
            (uint256 waitingWei,) = staking.dripOf(actor);
            Pool[3] memory pools = staking.pools(actor);
            sumWei += bondWei + staking.rewardsOf(actor) + waitingWei;
            sumWei += pools[0].assetsWei + pools[1].assetsWei + pools[2].assetsWei;
        }
        uint256 heldWei = address(staking).balance - handler.forcedWei(address(staking));
        vm.assertLe(sumWei, heldWei, "stakingBalanceIsTheSumOfTheBuckets: owes more than it holds");
        vm.assertLe(heldWei - sumWei, handler.mostDustWei(), "stakingBalanceIsTheSumOfTheBuckets: more than dust");
    }

    /// @dev The pool, and what the two streams have not dealt out.
    function _undealtWei() private view returns (uint256 sumWei) {
        sumWei = staking.undistributedWei();
        for (uint256 i = 1; i < 3; ++i) {
            IRewards.StreamView memory stream = staking.getStream(Role(i));
            sumWei += stream.nextWei + staking.carriedWei(Role(i));
            if (stream.endsAt > block.timestamp) sumWei += stream.rateWei * (stream.endsAt - block.timestamp);
        }
    }

    function paymentsBalanceIsTheEscrow() external view {
        uint256 sumWei;
        for (uint256 i = 0; i < NODES; ++i) {
            IPayments.CoordinatorView memory books = payments.getCoordinator(actors[i]);
            vm.assertLe(books.thawingWei, books.escrowWei, "paymentsBalanceIsTheEscrow: thawing");
            sumWei += books.escrowWei;
        }
        uint256 heldWei = address(payments).balance - handler.forcedWei(address(payments));
        vm.assertEq(heldWei, sumWei, "paymentsBalanceIsTheEscrow: balance");
    }

    function courtBalanceIsPotsCreditsAndCuts() external view {
        uint256 sumWei;
        for (uint256 id = 1; id <= court.caseCount(); ++id) {
            for (uint8 round = 0; round < 3; ++round) {
                sumWei += court.getRound(id, round).potWei;
            }
            (, uint256 cutWei,) = court.cutOf(id);
            sumWei += cutWei;
        }
        for (uint256 i = 0; i < ACTORS; ++i) {
            sumWei += court.creditOf(actors[i]);
        }
        address[] memory payers = handler.allPayers();
        for (uint256 i = 0; i < payers.length; ++i) {
            if (!_isActor(payers[i])) sumWei += court.creditOf(payers[i]);
        }
        uint256 heldWei = address(court).balance - handler.forcedWei(address(court));
        vm.assertEq(heldWei, sumWei, "courtBalanceIsPotsCreditsAndCuts: balance");
    }

    /// @dev Of streams and vouchers together, and of what is not given out yet.
    function claimedAndClaimableAreAtMostFunded() external view {
        uint256 sumWei = handler.claimedWei() + _undealtWei() - staking.undistributedWei();
        for (uint256 i = 0; i < NODES; ++i) {
            (uint256 waitingWei,) = staking.dripOf(actors[i]);
            sumWei += staking.rewardsOf(actors[i]) + waitingWei;
        }
        vm.assertLe(sumWei, handler.earnableWei(), "claimedAndClaimableAreAtMostFunded: more");
    }

    // ---- shares ----

    function positionSharesAreThePoolsShares() external view {
        for (uint256 n = 0; n < NODES; ++n) {
            Pool memory pool = staking.pools(actors[n])[0];
            (uint256[] memory shares, uint256[] memory amountsWei) = staking.votesOfAll(actors, actors[n]);
            (uint256 sum, uint256 worthWei) = (0, 0);
            for (uint256 i = 0; i < ACTORS; ++i) {
                sum += shares[i];
                worthWei += amountsWei[i];
            }
            vm.assertEq(sum, pool.shares, "positionSharesAreThePoolsShares: shares");
            vm.assertLe(worthWei, pool.assetsWei, "positionSharesAreThePoolsShares: worth");
        }
    }

    /// @dev Owners' exits, voters' exits, and claims on coordinators' bonds.
    function liveThawSharesAreTheThawPoolsShares() external view {
        uint256[NODES] memory votes;
        uint256[NODES] memory bonds;
        Pool[3][NODES] memory pools;
        for (uint256 n = 0; n < NODES; ++n) {
            pools[n] = staking.pools(actors[n]);
        }
        for (uint256 i = 0; i < ACTORS; ++i) {
            World.Exit[] memory live = handler.exitsOf(actors[i]);
            for (uint256 k = 0; k < live.length; ++k) {
                StakingHarness.Thaw memory thaw = staking.thaw(actors[i], live[k].id);
                vm.assertTrue(thaw.live, "liveThawSharesAreTheThawPoolsShares: live");
                uint256 n = _numberOf(live[k].node);
                if (live[k].kind == ThawKind.Votes) {
                    if (thaw.generation == pools[n][1].generation) votes[n] += thaw.shares;
                } else if (thaw.generation == pools[n][2].generation) {
                    bonds[n] += thaw.shares;
                }
            }
        }
        PaymentActions.BondClaim[] memory claims = handler.allClaims();
        for (uint256 i = 0; i < claims.length; ++i) {
            uint256 n = _numberOf(claims[i].coordinator);
            if (claims[i].open && claims[i].generation == pools[n][2].generation) bonds[n] += claims[i].shares;
        }
        for (uint256 n = 0; n < NODES; ++n) {
            vm.assertEq(votes[n], pools[n][1].shares, "liveThawSharesAreTheThawPoolsShares: votes");
            vm.assertEq(bonds[n], pools[n][2].shares, "liveThawSharesAreTheThawPoolsShares: bonds");
        }
    }

    /// @dev {SharePool} promises that no entry overflows, and with it no exit, as long as this holds.
    function pricesStayAboveTheFloor() external view {
        for (uint256 n = 0; n < NODES; ++n) {
            Pool[3] memory pools = staking.pools(actors[n]);
            for (uint256 i = 0; i < 3; ++i) {
                vm.assertLe(
                    pools[i].shares + 1e6, (pools[i].assetsWei + 1) * 1e6 * 4096, "pricesStayAboveTheFloor: price"
                );
            }
        }
    }

    // ---- nodes ----

    function weightsAndTotalsAgree() external view {
        uint256[3] memory sumsWei;
        uint256[3] memory counts;
        for (uint256 n = 0; n < NODES; ++n) {
            IStaking.NodeView memory node = staking.getNode(actors[n]);
            uint256 role = uint256(node.role);
            ++counts[role];
            bool stands = role != 0 && !node.away && !node.suspended;
            bool active = stands && node.bondWei > staking.threshold(node.role);
            uint256 votesWei = staking.votesPool(node.owner).assetsWei;
            uint256 countedWei = votesWei < 16 * node.bondWei ? votesWei : 16 * node.bondWei;
            vm.assertEq(staking.isActive(node.owner), active, "weightsAndTotalsAgree: active");
            vm.assertEq(node.weightWei, active ? node.bondWei + countedWei : 0, "weightsAndTotalsAgree: weight");
            sumsWei[role] += node.weightWei;
        }
        for (uint256 role = 1; role < 3; ++role) {
            vm.assertEq(staking.totalWeight(Role(role)), sumsWei[role], "weightsAndTotalsAgree: total");
            vm.assertEq(staking.nodeCount(Role(role)), counts[role], "weightsAndTotalsAgree: count");
        }
    }

    /// @dev Over all nodes that have or had the role: bond that left still counts for the epoch before.
    function activeBondsOfEpochsAgree() external view {
        uint64 epoch = staking.currentEpoch();
        for (uint64 back = 0; back < 2; ++back) {
            uint256[3] memory sumsWei;
            for (uint256 n = 0; n < NODES; ++n) {
                uint256 bondWei = staking.activeBondAt(actors[n], epoch - back);
                Role role = staking.lastRole(actors[n]);
                sumsWei[uint256(role)] += bondWei;
                uint256 asMinerWei = role == Role.Miner ? bondWei : 0;
                vm.assertEq(
                    staking.minerBondAt(actors[n], epoch - back), asMinerWei, "activeBondsOfEpochsAgree: as a miner"
                );
            }
            for (uint256 role = 1; role < 3; ++role) {
                uint256 totalWei = staking.totalActiveBondAt(Role(role), epoch - back);
                vm.assertEq(totalWei, sumsWei[role], "activeBondsOfEpochsAgree: total");
            }
        }
    }

    function anOperatorHasOneOwnerForEver() external view {
        World.Operator[] memory known = handler.allOperators();
        for (uint256 i = 0; i < known.length; ++i) {
            (address node, uint64 validUntil) = staking.operatorRecord(known[i].operator);
            vm.assertEq(node, known[i].owner, "anOperatorHasOneOwnerForEver: owner");
            bool current = staking.getNode(node).operator == known[i].operator;
            vm.assertEq(current, validUntil == type(uint64).max, "anOperatorHasOneOwnerForEver: validity");
        }
    }

    // ---- payments and epochs ----

    function redeemedIsAtMostSigned() external view {
        PaymentActions.Line[] memory lines = handler.allLines();
        for (uint256 i = 0; i < lines.length; ++i) {
            IPayments.LineView memory line = payments.getLine(lines[i].coordinator, lines[i].miner);
            vm.assertLe(line.redeemedWei, lines[i].signedWei, "redeemedIsAtMostSigned: signed");
            vm.assertLe(line.redeemedWei, line.capWei, "redeemedIsAtMostSigned: cap");
        }
    }

    function openLinesAddUp() external view {
        uint256[NODES] memory sumsWei;
        PaymentActions.Line[] memory lines = handler.allLines();
        for (uint256 i = 0; i < lines.length; ++i) {
            IPayments.LineView memory line = payments.getLine(lines[i].coordinator, lines[i].miner);
            sumsWei[_numberOf(lines[i].coordinator)] += line.capWei - line.redeemedWei;
        }
        for (uint256 n = 0; n < NODES; ++n) {
            vm.assertEq(payments.getCoordinator(actors[n]).openWei, sumsWei[n], "openLinesAddUp: open");
        }
    }

    function linesAreCoveredWhileNobodyWasSlashed() external view {
        for (uint256 n = 0; n < NODES; ++n) {
            if (handler.slashedEver(actors[n])) continue;
            IPayments.CoordinatorView memory books = payments.getCoordinator(actors[n]);
            if (books.openWei <= books.escrowWei - books.thawingWei) continue;
            (uint256 bondWei,) = staking.bondOf(actors[n]);
            vm.assertLe(books.requiredBondWei, bondWei, "linesAreCoveredWhileNobodyWasSlashed: bond");
            bool coordinates = staking.roleOf(actors[n]) == Role.Coordinator;
            vm.assertTrue(coordinates, "linesAreCoveredWhileNobodyWasSlashed: it has left");
        }
    }

    function suspendedWhileARevealIsOwed() external view {
        for (uint256 n = 0; n < NODES; ++n) {
            bool owes = epochs.overdueCount(actors[n]) != 0;
            vm.assertEq(staking.getNode(actors[n]).suspended, owes, "suspendedWhileARevealIsOwed: suspended");
        }
    }

    // ---- the court ----

    /// @dev What is held is what open disputes could take, and is in force in Staking.
    function recordsAgreeWithDisputes() external view {
        for (uint256 n = 0; n < NODES; ++n) {
            uint256 open = handler.openDisputesOf(actors[n]);
            uint256 frozenWei = court.getRecord(actors[n]).frozenWei;
            vm.assertEq(court.getRecord(actors[n]).openDisputes, open, "recordsAgreeWithDisputes: open");
            if (open == 0) vm.assertEq(frozenWei, 0, "recordsAgreeWithDisputes: frozen");
            (uint256 heldWei, uint64 until) = staking.freezeOf(actors[n]);
            if (until != 0) vm.assertEq(heldWei, frozenWei, "recordsAgreeWithDisputes: held");
        }
    }

    // ---- the end of each run ----

    /// @dev Every live exit can be withdrawn, in any order, and every wei has an exit.
    function afterInvariant() public {
        try handler.everybodyLeaves(uint256(keccak256(abi.encode(block.timestamp, address(staking).balance)))) {}
        catch {
            vm.assertTrue(false, string.concat("everyExitCanBeWithdrawn: somebody cannot leave; ", _foundBySteps()));
        }
        string memory broken = _foundBySteps();
        broken = _check(this.stakingBalanceIsTheSumOfTheBuckets, broken);
        broken = _check(this.nothingIsLeft, broken);
        vm.assertEq(bytes(broken).length, 0, broken);
    }

    /// @dev The reward pool, streams that nobody is left to earn, and dust.
    function nothingIsLeft() external view {
        uint256 poolWei = _undealtWei();
        uint256 heldWei = address(staking).balance - handler.forcedWei(address(staking));
        uint256 paymentsWei = address(payments).balance - handler.forcedWei(address(payments));
        uint256 courtWei = address(court).balance - handler.forcedWei(address(court));
        vm.assertLe(poolWei, heldWei, "everyExitCanBeWithdrawn: more than there was has left staking");
        vm.assertLe(heldWei - poolWei, handler.mostDustWei(), "everyExitCanBeWithdrawn: something stays in staking");
        vm.assertEq(paymentsWei, 0, "everyExitCanBeWithdrawn: something stays in payments");
        vm.assertEq(courtWei, 0, "everyExitCanBeWithdrawn: something stays in the court");
        uint256 weightWei = staking.totalWeight(Role.Miner) + staking.totalWeight(Role.Coordinator);
        vm.assertEq(weightWei, 0, "everyExitCanBeWithdrawn: weight is left");
    }

    // ---- small things ----

    function _numberOf(address node) private view returns (uint256 number) {
        while (actors[number] != node) ++number;
    }

    function _isActor(address account) private view returns (bool) {
        for (uint256 i = 0; i < ACTORS; ++i) {
            if (actors[i] == account) return true;
        }
        return false;
    }
}
