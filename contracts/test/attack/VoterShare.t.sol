// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking, Role} from "../../src/interfaces/IStaking.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Cutting the voters' share just before income: by a drop, or by leaving and coming back with a lower one.
contract VoterShareAttack is TestBase {
    function test_reRegisteringDoesNotSkipTheNotice() public {
        _register(alice, Role.Miner, MINER_BOND, 9_000);
        _vote(bob, alice, 10 ether);
        vm.prank(alice);
        staking.deregister();

        uint256 key = _operatorKey(alice, 0);
        bytes memory signature = _signRegistration(key, alice, Role.Miner, FOREVER);
        vm.expectEmit(address(staking));
        emit IStaking.NodeRegistered(alice, Role.Miner, vm.addr(key), MINER_BOND, 9_000);
        vm.expectEmit(address(staking));
        emit IStaking.VoterShareSet(alice, 0, START + THAW);
        vm.prank(alice);
        staking.register{value: MINER_BOND}(Role.Miner, vm.addr(key), 0, MINER_BOND, _profile(), FOREVER, signature);

        vm.assertEq(uint256(staking.getNode(alice).voterShareBps), 9_000, "in force");
        _skip(THAW);
        vm.assertEq(uint256(staking.getNode(alice).voterShareBps), 0, "after the notice");
    }

    function test_withoutVotersThereIsNobodyToWarn() public {
        _register(alice, Role.Miner, MINER_BOND, 9_000);
        vm.startPrank(alice);
        staking.setVoterShare(8_000);
        staking.deregister();
        vm.stopPrank();
        _register(alice, Role.Miner, MINER_BOND, 100);
        vm.assertEq(uint256(staking.getNode(alice).voterShareBps), 100, "in force");
        _skip(2 * THAW);
        vm.assertEq(uint256(staking.getNode(alice).voterShareBps), 100, "no drop of the former life comes true");
    }

    /// @dev A voter that reads the pending drop and leaves at once is out when it comes true.
    function test_aVoterWhoLeavesOnTheNoticeIsOutInTime() public {
        _register(alice, Role.Miner, MINER_BOND, 9_000);
        _vote(bob, alice, 10 ether);
        vm.prank(alice);
        staking.setVoterShare(0);
        uint256 id = _unvoteAll(bob, alice);
        _skip(THAW);
        vm.assertEq(_withdraw(bob, id), 10 ether, "paid");
        vm.assertEq(uint256(staking.getNode(alice).voterShareBps), 0, "in force");
    }

    /// @dev The commission is raised (the voters' share drops) and the owner settles it in just before a lump comes: only after
    /// a whole thaw's notice.
    function test_commissionRaisedJustBeforeIncome() public {
        _register(alice, Role.Miner, MINER_BOND, 9_000);
        _vote(bob, alice, 10 ether);
        vm.prank(alice);
        staking.setVoterShare(0);
        staking.settle(alice);
        _income(alice, 100 ether);
        (uint256 waitingWei,) = staking.dripOf(alice);
        vm.assertEq(waitingWei, 90 ether, "the voters' part");
        _skip(THAW - 1);
        staking.settle(alice);
        _income(alice, 100 ether);
        (waitingWei,) = staking.dripOf(alice);
        vm.assertEq(waitingWei, 90 ether, "to the last second");
    }

    /// @dev A drop comes true with the settlement that finds it due: what a stream earned until then is split as it was.
    function test_commissionIsNotRaisedBackwards() public {
        _register(alice, Role.Miner, MINER_BOND, 10_000);
        _vote(bob, alice, 25_000 ether);
        _fundStream(Role.Miner, 2 * STREAM);
        vm.prank(alice);
        staking.setVoterShare(0);
        _skip(THAW + 1 days);
        vm.prank(alice);
        staking.claim(alice);
        vm.assertEq(_free(alice), 0, "the owner's part");
        vm.assertApproxEqAbs(_votesOf(bob, alice), 25_000 ether + 2 * STREAM, 1e4, "the voter's");
    }
}
