// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking, Role} from "../../src/interfaces/IStaking.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Leaving and coming back as something else: with voters who never agreed, or with bond that counted elsewhere.
contract RoleSwitchAttack is TestBase {
    function test_roleIsLockedWhileVotesRemain() public {
        _registerMiner(alice);
        _vote(bob, alice, 10 ether);
        vm.prank(alice);
        staking.deregister();
        _skip(3 * EPOCH);
        _refuse();
        _unvoteAll(bob, alice);
        _register(alice, Role.Coordinator, COORDINATOR_BOND);
        vm.assertEq(staking.getNodes(Role.Coordinator, 0, 1)[0].owner, alice, "coordinator");
        vm.assertEq(staking.nodeCount(Role.Miner), 0, "miners");
    }

    /// @dev Votes that stayed count at once for a node that comes back in its old role.
    function test_comingBackInTheOldRoleKeepsVotes() public {
        _registerMiner(alice);
        _vote(bob, alice, 10 ether);
        vm.prank(alice);
        staking.deregister();
        _registerMiner(alice);
        vm.assertEq(staking.weightOf(alice), MINER_BOND + 10 ether, "weight");
        vm.assertEq(staking.totalWeight(Role.Miner), MINER_BOND + 10 ether, "total weight");
    }

    /// @dev A coordinator's bond of the epoch before would give a miner more seats on a jury than all miners have.
    function test_roleIsLockedWhileTheOldBondCounts() public {
        _register(alice, Role.Coordinator, COORDINATOR_BOND);
        _skip(EPOCH);
        vm.prank(alice);
        staking.deregister();
        _refuseMiner();
        _skip(EPOCH);
        // It counts for the epoch before the last, which the miner's jury duty still reaches back to.
        _refuseMiner();
        _skip(EPOCH);
        _register(alice, Role.Miner, MINER_BOND);
        uint64 epoch = staking.currentEpoch();
        vm.assertEq(staking.minerBondAt(alice, epoch - 2), 0, "the epoch before the last");
        vm.assertEq(staking.minerBondAt(alice, epoch - 1), 0, "the epoch before");
        vm.assertEq(staking.activeBondAt(alice, epoch), MINER_BOND, "now");
        vm.assertEq(staking.totalActiveBondAt(Role.Miner, epoch), MINER_BOND, "miners");
        vm.assertEq(staking.totalActiveBondAt(Role.Coordinator, epoch), 0, "coordinators");
    }

    /// @dev Bond that never reached the end of an epoch counts nowhere, so it locks nothing.
    function test_roleIsFreeWithinTheFirstEpoch() public {
        _registerMiner(alice);
        vm.prank(alice);
        staking.deregister();
        _register(alice, Role.Coordinator, COORDINATOR_BOND);
        vm.assertEq(staking.totalWeight(Role.Miner), 0, "miners");
        vm.assertEq(staking.totalWeight(Role.Coordinator), COORDINATOR_BOND, "coordinators");
        vm.assertEq(staking.activeBondAt(alice, staking.currentEpoch() - 1), 0, "the epoch before");
    }

    /// @dev Bond of the old role on its way out is no weight of the new one, and stays slashable.
    function test_thawingBondOfTheOldRoleStaysSlashable() public {
        _registerMiner(alice);
        vm.prank(alice);
        staking.deregister();
        _register(alice, Role.Coordinator, COORDINATOR_BOND);
        _slashPart(alice, 0.1 ether);
        vm.assertEq(_thaw(alice, _bondThaw(alice)).amountWei, MINER_BOND * 9 / 10, "thawing");
    }

    /// @dev The older bond locks as well where it was moved aside by a change in each of two epochs.
    function test_roleIsLockedByTheOlderBond() public {
        _register(alice, Role.Coordinator, COORDINATOR_BOND);
        _skip(EPOCH);
        vm.startPrank(alice);
        staking.rest(alice);
        vm.stopPrank();
        _skip(EPOCH);
        vm.startPrank(alice);
        staking.rejoin(alice);
        staking.deregister();
        vm.stopPrank();
        vm.assertEq(staking.activeBondAt(alice, staking.currentEpoch() - 1), 0, "the epoch before");
        _refuseMiner();
    }

    function _refuseMiner() private {
        bytes memory locked = abi.encodeWithSelector(IStaking.RoleLocked.selector, alice, Role.Coordinator);
        bytes memory signature = _signRegistration(_operatorKey(alice, 0), alice, Role.Miner, FOREVER);
        vm.prank(alice);
        vm.expectRevert(locked);
        staking.register{value: MINER_BOND}(Role.Miner, _operator(alice), 0, MINER_BOND, _profile(), FOREVER, signature);
    }

    function _refuse() private {
        bytes memory signature = _signRegistration(_operatorKey(alice, 0), alice, Role.Coordinator, FOREVER);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IStaking.RoleLocked.selector, alice, Role.Miner));
        staking.register{value: COORDINATOR_BOND}(
            Role.Coordinator, _operator(alice), 0, COORDINATOR_BOND, _profile(), FOREVER, signature
        );
    }
}
