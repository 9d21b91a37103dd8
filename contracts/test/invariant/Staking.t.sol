// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IRewards} from "../../src/interfaces/IRewards.sol";
import {IStaking, Role, ThawKind} from "../../src/interfaces/IStaking.sol";
import {Pool} from "../../src/libraries/SharePool.sol";
import {StakingHarness} from "../utils/StakingHarness.sol";
import {FuzzSelector, vm} from "../utils/Vm.sol";
import {Handler} from "./Handler.sol";

/// @notice What holds after any sequence of steps. All are checked in one campaign, since campaigns of one seed walk the same
/// sequences; a failure's message begins with the name of what broke, and contracts/script/mutate.ts expects those names.
abstract contract StakingInvariants {
    Handler internal handler;
    StakingHarness internal staking;
    uint256 private constant ACTORS = 8;
    address[] private actors;

    function _slashing() internal pure virtual returns (bool);

    function setUp() public {
        handler = new Handler(_slashing());
        staking = handler.contractUnderTest();
        actors = handler.allActors();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        // Often those that build a state up, seldom those that tear it down.
        bytes4[36] memory selectors = [
            Handler.stake.selector,
            Handler.withdrawFree.selector,
            Handler.withdrawThaws.selector,
            Handler.withdrawThaws.selector,
            Handler.withdrawTooEarly.selector,
            Handler.bond.selector,
            Handler.unbond.selector,
            Handler.vote.selector,
            Handler.vote.selector,
            Handler.vote.selector,
            Handler.vote.selector,
            Handler.unvote.selector,
            Handler.unvote.selector,
            Handler.enterThenExit.selector,
            Handler.register.selector,
            Handler.register.selector,
            Handler.deregister.selector,
            Handler.setOperator.selector,
            Handler.takeOperator.selector,
            Handler.setVoterShare.selector,
            Handler.warp.selector,
            Handler.forceValue.selector,
            Handler.slash.selector,
            Handler.lowerVotes.selector,
            Handler.rest.selector,
            Handler.rejoin.selector,
            Handler.rejoin.selector,
            Handler.jail.selector,
            Handler.suspend.selector,
            Handler.resume.selector,
            Handler.fund.selector,
            Handler.pour.selector,
            Handler.income.selector,
            Handler.income.selector,
            Handler.settle.selector,
            Handler.claim.selector
        ];
        targets = new FuzzSelector[](1);
        targets[0].addr = address(handler);
        targets[0].selectors = new bytes4[](selectors.length);
        for (uint256 i = 0; i < selectors.length; ++i) {
            targets[0].selectors[i] = selectors[i];
        }
    }

    function invariant_all() public view {
        string memory broken = "";
        broken = _check(this.nothingLeavesBeforeItsTime, broken);
        broken = _check(this.enterThenExitNeverProfits, broken);
        broken = _check(this.oneDoesNotTouchAnothersStake, broken);
        broken = _check(this.sharePriceFallsOnlyBySlash, broken);
        broken = _check(this.balanceIsTheSumOfTheBuckets, broken);
        broken = _check(this.positionSharesAreThePoolsShares, broken);
        broken = _check(this.liveThawSharesAreTheThawPoolsShares, broken);
        broken = _check(this.pricesStayAboveTheFloor, broken);
        broken = _check(this.weightsAndTotalsAgree, broken);
        broken = _check(this.activeBondsOfEpochsAgree, broken);
        broken = _check(this.listsHoldEveryNodeOnce, broken);
        broken = _check(this.anOperatorHasOneOwnerForEver, broken);
        broken = _check(this.rewardsGoWhereTheyBelong, broken);
        vm.assertEq(bytes(broken).length, 0, broken);
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

    /// @dev Every wei that came in is in one bucket, but for what settlements round down. Value that was forced in is in none.
    function balanceIsTheSumOfTheBuckets() external view {
        uint256 sum = staking.undistributedWei();
        for (uint256 i = 0; i < ACTORS; ++i) {
            address actor = actors[i];
            (uint256 waitingWei,) = staking.dripOf(actor);
            sum += staking.getAccount(actor).freeWei + staking.getNode(actor).bondWei + staking.rewardsOf(actor);
            Pool[3] memory pools = staking.pools(actor);
            sum += waitingWei + pools[0].assetsWei + pools[1].assetsWei + pools[2].assetsWei;
        }
        sum += _inStream(Role.Miner) + _inStream(Role.Coordinator);
        uint256 heldWei = address(staking).balance - handler.forcedWei();
        vm.assertLe(sum, heldWei, "balanceIsTheSumOfTheBuckets: more than there is");
        vm.assertLe(heldWei - sum, _mostDust(), "balanceIsTheSumOfTheBuckets: lost");
    }

    function _inStream(Role role) private view returns (uint256) {
        IRewards.StreamView memory stream = staking.getStream(role);
        uint256 left = stream.endsAt > block.timestamp ? stream.endsAt - block.timestamp : 0;
        return stream.rateWei * left + stream.nextWei;
    }

    /// @dev Under a wei per settlement of a node and 1/256 wei per settlement of its role (the views settle each node once more),
    /// and what each role's index carries on to its next settlement.
    function _mostDust() private view returns (uint256) {
        uint256 settlements = handler.settlements() + ACTORS;
        return
            settlements + settlements / 256 + staking.carriedWei(Role.Miner) + staking.carriedWei(Role.Coordinator) + 4;
    }

    function rewardsGoWhereTheyBelong() external view {
        vm.assertEq(handler.rewardMismatchWei(), 0, "rewardsGoWhereTheyBelong: mismatch");
    }

    function positionSharesAreThePoolsShares() external view {
        for (uint256 n = 0; n < ACTORS; ++n) {
            address node = actors[n];
            Pool memory pool = staking.pools(node)[0];
            (uint256[] memory shares, uint256[] memory amountsWei) = staking.votesOfAll(actors, node);
            uint256 sum = 0;
            uint256 worth = 0;
            for (uint256 i = 0; i < ACTORS; ++i) {
                sum += shares[i];
                worth += amountsWei[i];
            }
            vm.assertEq(sum, pool.shares, "positionSharesAreThePoolsShares: shares");
            vm.assertLe(worth, pool.assetsWei, "positionSharesAreThePoolsShares: worth");
        }
    }

    function liveThawSharesAreTheThawPoolsShares() external view {
        uint256[ACTORS] memory bonds;
        uint256[ACTORS] memory votes;
        Pool[3][ACTORS] memory pools;
        for (uint256 n = 0; n < ACTORS; ++n) {
            pools[n] = staking.pools(actors[n]);
        }
        for (uint256 i = 0; i < ACTORS; ++i) {
            Handler.LiveThaw[] memory live = handler.liveThaws(actors[i]);
            uint256[] memory ids = new uint256[](live.length);
            for (uint256 k = 0; k < live.length; ++k) {
                StakingHarness.Thaw memory thaw = staking.thaw(actors[i], live[k].id);
                ids[k] = live[k].id;
                uint256 id = staking.thawId(live[k].node, live[k].kind, uint64(live[k].releaseAt));
                vm.assertEq(id, live[k].id, "liveThawSharesAreTheThawPoolsShares: id");
                uint256 n = _indexOf(live[k].node);
                if (live[k].kind == ThawKind.Votes) {
                    if (thaw.generation == pools[n][1].generation) votes[n] += thaw.shares;
                } else {
                    if (thaw.generation == pools[n][2].generation) bonds[n] += thaw.shares;
                }
            }
            uint256 listed = staking.getThaws(actors[i], ids).length;
            vm.assertEq(listed, live.length, "liveThawSharesAreTheThawPoolsShares: listed");
        }
        for (uint256 n = 0; n < ACTORS; ++n) {
            vm.assertEq(votes[n], pools[n][1].shares, "liveThawSharesAreTheThawPoolsShares: votes");
            vm.assertEq(bonds[n], pools[n][2].shares, "liveThawSharesAreTheThawPoolsShares: bonds");
        }
    }

    /// @dev {SharePool} promises that no entry overflows, and with it no exit, as long as this holds.
    function pricesStayAboveTheFloor() external view {
        for (uint256 n = 0; n < ACTORS; ++n) {
            Pool[3] memory pools = staking.pools(actors[n]);
            _checkFloor(pools[0]);
            _checkFloor(pools[1]);
            _checkFloor(pools[2]);
        }
    }

    function _checkFloor(Pool memory pool) private pure {
        vm.assertLe(
            uint256(pool.shares) + 1e6, (uint256(pool.assetsWei) + 1) * 1e6 * 4096, "pricesStayAboveTheFloor: price"
        );
    }

    // ---- single steps ----

    function nothingLeavesBeforeItsTime() external view {
        vm.assertEq(handler.leftEarly(), 0, "nothingLeavesBeforeItsTime: left early");
    }

    function enterThenExitNeverProfits() external view {
        vm.assertEq(handler.profitWei(), 0, "enterThenExitNeverProfits: profit");
    }

    function oneDoesNotTouchAnothersStake() external view {
        vm.assertEq(handler.touchedOthersWei(), 0, "oneDoesNotTouchAnothersStake: touched");
    }

    function sharePriceFallsOnlyBySlash() external view {
        vm.assertEq(handler.priceFalls(), 0, "sharePriceFallsOnlyBySlash: falls");
        vm.assertEq(
            handler.slashMismatchWei(), 0, "sharePriceFallsOnlyBySlash: a slash took something else than it said"
        );
    }

    // ---- nodes ----

    function weightsAndTotalsAgree() external view {
        _checkWeights(Role.Miner);
        _checkWeights(Role.Coordinator);
    }

    function _checkWeights(Role role) private view {
        uint256 sum = 0;
        for (uint256 n = 0; n < ACTORS; ++n) {
            IStaking.NodeView memory node = staking.getNode(actors[n]);
            if (node.role != role) continue;
            bool active = node.bondWei > staking.threshold(role) && !node.away && !node.suspended;
            uint256 votesWei = staking.votesPool(actors[n]).assetsWei;
            uint256 counted = votesWei < 16 * node.bondWei ? votesWei : 16 * node.bondWei;
            vm.assertEq(node.active, active, "weightsAndTotalsAgree: active");
            vm.assertEq(node.weightWei, active ? node.bondWei + counted : 0, "weightsAndTotalsAgree: weight");
            sum += node.weightWei;
        }
        vm.assertEq(staking.totalWeight(role), sum, "weightsAndTotalsAgree: total");
    }

    /// @dev Over all nodes that have or had the role: bond that left still counts for the epoch before.
    function activeBondsOfEpochsAgree() external view {
        uint64 epoch = staking.currentEpoch();
        for (uint64 back = 0; back < 2; ++back) {
            uint256[3] memory sums;
            for (uint256 n = 0; n < ACTORS; ++n) {
                address node = actors[n];
                sums[uint256(staking.lastRole(node))] += staking.activeBondAt(node, epoch - back);
            }
            vm.assertEq(sums[0], 0, "activeBondsOfEpochsAgree: no role");
            vm.assertEq(
                staking.totalActiveBondAt(Role.Miner, epoch - back), sums[1], "activeBondsOfEpochsAgree: miners"
            );
            vm.assertEq(
                staking.totalActiveBondAt(Role.Coordinator, epoch - back),
                sums[2],
                "activeBondsOfEpochsAgree: coordinators"
            );
        }
    }

    function listsHoldEveryNodeOnce() external view {
        uint256[3] memory counts;
        for (uint256 n = 0; n < ACTORS; ++n) {
            IStaking.NodeView memory node = staking.getNode(actors[n]);
            uint256 place = staking.place(node.owner);
            vm.assertEq(place != 0, node.role != Role.None, "listsHoldEveryNodeOnce: place");
            if (node.role == Role.None) continue;
            ++counts[uint256(node.role)];
            IStaking.NodeView[] memory listed = staking.getNodes(node.role, place - 1, 1);
            vm.assertEq(listed.length, 1, "listsHoldEveryNodeOnce: listed");
            vm.assertEq(listed[0].owner, node.owner, "listsHoldEveryNodeOnce: the node at its place");
            vm.assertTrue(node.registeredAt != 0, "listsHoldEveryNodeOnce: registered at");
        }
        vm.assertEq(staking.nodeCount(Role.Miner), counts[1], "listsHoldEveryNodeOnce: miners");
        vm.assertEq(staking.nodeCount(Role.Coordinator), counts[2], "listsHoldEveryNodeOnce: coordinators");
    }

    function anOperatorHasOneOwnerForEver() external view {
        vm.assertEq(handler.operatorsTaken(), 0, "anOperatorHasOneOwnerForEver: taken");
        for (uint256 n = 0; n < ACTORS; ++n) {
            IStaking.NodeView memory node = staking.getNode(actors[n]);
            vm.assertEq(node.operator != address(0), node.role != Role.None, "anOperatorHasOneOwnerForEver: operator");
        }
        Handler.Operator[] memory known = handler.allOperators();
        for (uint256 i = 0; i < known.length; ++i) {
            (address node, uint64 validUntil) = staking.operatorRecord(known[i].operator);
            vm.assertEq(node, known[i].owner, "anOperatorHasOneOwnerForEver: owner");
            bool current = staking.getNode(node).operator == known[i].operator;
            vm.assertEq(current, validUntil == type(uint64).max, "anOperatorHasOneOwnerForEver: validity");
        }
    }

    // ---- the end of each run ----

    /// @dev Every live exit can be withdrawn, in any order, and every wei has an exit.
    function afterInvariant() public {
        try handler.everybodyLeaves(uint256(keccak256(abi.encode(block.timestamp, address(staking).balance)))) {}
        catch {
            vm.assertTrue(false, "everyExitCanBeWithdrawn: somebody cannot leave");
        }
        uint256 leftWei = handler.forcedWei() + staking.undistributedWei();
        leftWei += _inStream(Role.Miner) + _inStream(Role.Coordinator);
        vm.assertLe(leftWei, address(staking).balance, "everyExitCanBeWithdrawn: more than there is");
        vm.assertLe(
            address(staking).balance - leftWei, 2 * _mostDust(), "everyExitCanBeWithdrawn: something cannot leave"
        );
        vm.assertEq(
            staking.totalWeight(Role.Miner) + staking.totalWeight(Role.Coordinator),
            0,
            "everyExitCanBeWithdrawn: weight is left"
        );
    }

    function _indexOf(address node) private view returns (uint256 index) {
        while (actors[index] != node) ++index;
    }
}

/// @notice Without slashes.
contract PlainInvariants is StakingInvariants {
    function _slashing() internal pure override returns (bool) {
        return false;
    }
}

/// @notice With slashes.
contract SlashingInvariants is StakingInvariants {
    function _slashing() internal pure override returns (bool) {
        return true;
    }
}
