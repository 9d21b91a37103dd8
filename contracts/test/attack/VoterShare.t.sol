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
}
