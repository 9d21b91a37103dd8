// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking} from "../../src/interfaces/IStaking.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Stuffing a victim's list of exits, or moving its dates, so that it cannot leave.
contract ExitGriefingAttack is TestBase {
    function setUp() public override {
        super.setUp();
        _registerMiner(alice);
        _vote(bob, alice, 100 ether);
    }

    function test_nobodyAddsToAnothersList() public {
        _unvote(bob, alice, 10 ether * VIRTUAL_SHARES);
        for (uint256 i = 0; i < 50; ++i) {
            _vote(carol, alice, 2 ether);
            _unvoteAll(carol, alice);
        }
        vm.startPrank(alice);
        staking.unbond(1);
        staking.deregister();
        vm.stopPrank();
        vm.assertEq(staking.getAccount(bob).thawCount, 1, "the victim's list");
        vm.assertEq(uint256(staking.getThaws(bob, 0, 9)[0].releaseAt), START + THAW, "the victim's date");
    }

    function test_anotherExitDoesNotMoveTheFirstOne() public {
        _unvote(bob, alice, 10 ether * VIRTUAL_SHARES);
        _skip(THAW - 1);
        _unvote(bob, alice, 10 ether * VIRTUAL_SHARES);
        _skip(1);
        vm.assertEq(_withdraw(bob, 0), 10 ether, "paid");
    }

    /// @dev One exit of a crowd costs what the first does; nothing is walked but the caller's own ids.
    function test_aStuffedListHindersNobodyNotEvenItsOwner() public {
        for (uint256 i = 0; i < 300; ++i) {
            _unvote(bob, alice, 1);
        }
        _unvoteAll(bob, alice);
        _skip(THAW);
        vm.assertApproxEqAbs(_withdraw(bob, 300), 100 ether, 1, "paid");
    }

    /// @dev A node that leaves, comes back or loses its bond holds no voter.
    function test_theNodeCannotHoldItsVoters() public {
        vm.startPrank(alice);
        staking.unbond(MINER_BOND);
        _unvoteHalf();
        vm.startPrank(alice);
        staking.deregister();
        _unvoteHalf();
        _skip(THAW);
        vm.assertEq(_withdraw(bob, 0), 50 ether, "first");
        vm.assertEq(_withdraw(bob, 1), 50 ether, "second");
    }

    function _unvoteHalf() private {
        vm.stopPrank();
        _unvote(bob, alice, 50 ether * VIRTUAL_SHARES);
    }
}
