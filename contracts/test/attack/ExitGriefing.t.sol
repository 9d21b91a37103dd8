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
        uint256 id = _unvote(bob, alice, 10 ether * VIRTUAL_SHARES);
        for (uint256 i = 0; i < 50; ++i) {
            _vote(carol, alice, 2 ether);
            _unvoteAll(carol, alice);
        }
        vm.startPrank(alice);
        staking.unbond(1);
        staking.deregister();
        vm.stopPrank();
        vm.assertEq(_thaw(bob, id).amountWei, 10 ether, "the victim's exit");
        vm.assertEq(uint256(_thaw(bob, id).releaseAt), START + THAW, "the victim's date");
    }

    function test_anotherExitDoesNotMoveTheFirstOne() public {
        uint256 id = _unvote(bob, alice, 10 ether * VIRTUAL_SHARES);
        _skip(THAW - 1);
        _unvote(bob, alice, 10 ether * VIRTUAL_SHARES);
        _skip(1);
        vm.assertEq(_withdraw(bob, id), 10 ether, "paid");
    }

    /// @dev In one second there is one exit, and it is the caller's alone.
    function test_exitsOfOneSecondAreOne() public {
        uint256 id = _unvote(bob, alice, 10 ether * VIRTUAL_SHARES);
        vm.assertEq(_unvote(bob, alice, 5 ether * VIRTUAL_SHARES), id, "id");
        _vote(carol, alice, 2 ether);
        vm.assertEq(_unvoteAll(carol, alice), id, "the same id, of another account");
        vm.assertEq(_thaw(bob, id).amountWei, 15 ether, "the victim's exit");
        _skip(THAW);
        vm.assertEq(_withdraw(carol, id), 2 ether, "the other's");
        vm.assertEq(_withdraw(bob, id), 15 ether, "paid");
    }

    /// @dev One exit of a crowd costs what the first does; nothing is walked but the caller's own ids.
    function test_aStuffedListHindersNobodyNotEvenItsOwner() public {
        for (uint256 i = 0; i < 300; ++i) {
            _unvote(bob, alice, 1);
            _skip(1);
        }
        uint256 id = _unvoteAll(bob, alice);
        _skip(THAW);
        vm.assertApproxEqAbs(_withdraw(bob, id), 100 ether, 1, "paid");
    }

    /// @dev A node that leaves, comes back or loses its bond holds no voter.
    function test_theNodeCannotHoldItsVoters() public {
        vm.startPrank(alice);
        staking.unbond(MINER_BOND);
        uint256 first = _unvoteHalf();
        _skip(1);
        vm.startPrank(alice);
        staking.deregister();
        uint256 second = _unvoteHalf();
        _skip(THAW);
        vm.assertEq(_withdraw(bob, first), 50 ether, "first");
        vm.assertEq(_withdraw(bob, second), 50 ether, "second");
    }

    function _unvoteHalf() private returns (uint256 id) {
        vm.stopPrank();
        return _unvote(bob, alice, 50 ether * VIRTUAL_SHARES);
    }
}
