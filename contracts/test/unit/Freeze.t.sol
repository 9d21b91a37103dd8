// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking} from "../../src/interfaces/IStaking.sol";
import {IStakingHooks} from "../../src/interfaces/IStakingHooks.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

contract FreezeTest is TestBase {
    uint64 private constant UNTIL = START + THAW + 2 days;
    uint256 private id;

    function setUp() public override {
        super.setUp();
        _registerMiner(alice);
        vm.prank(alice);
        id = staking.unbond(10_000 ether);
    }

    function _freeze(uint256 bondWei, uint64 until) private {
        vm.prank(court);
        staking.freeze(alice, bondWei, until);
    }

    function _refuses(uint256 thawId, uint64 until) private {
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IStaking.ExitFrozen.selector, thawId, until));
        staking.withdraw(_ids(thawId), MAX, payable(alice));
    }

    function test_freeze() public {
        vm.expectEmit(address(staking));
        emit IStakingHooks.Frozen(alice, 3 ether, UNTIL);
        _freeze(3 ether, UNTIL);
        (uint256 bondWei, uint64 until) = staking.freezeOf(alice);
        vm.assertEq(bondWei, 3 ether, "held");
        vm.assertEq(uint256(until), UNTIL, "until");
        vm.warp(UNTIL);
        (bondWei, until) = staking.freezeOf(alice);
        vm.assertEq(bondWei + until, 0, "over");
    }

    function test_onlyTheCourt() public {
        vm.expectRevert(abi.encodeWithSelector(IStakingHooks.CallerInvalid.selector, address(this)));
        staking.freeze(alice, 1, UNTIL);
    }

    function test_whatIsNotHeldLeavesAtItsTime() public {
        _freeze(20_000 ether, UNTIL);
        _skip(THAW);
        vm.assertEq(_withdraw(alice, id), 5_000 ether, "spare");
        vm.assertEq(_thaw(alice, id).amountWei, 5_000 ether, "the rest stays under its id");
        _refuses(id, UNTIL);
        vm.warp(UNTIL);
        vm.assertEq(_withdraw(alice, id), 5_000 ether, "the rest");
        vm.assertEq(staking.getThaws(alice, _ids(id)).length, 0, "gone");
    }

    function test_aFreezeUnderTheBondHoldsNothing() public {
        _freeze(15_000 ether, UNTIL);
        _skip(THAW);
        vm.assertEq(_withdraw(alice, id), 10_000 ether, "all");
    }

    function test_aFreezeOfAllHoldsAll() public {
        _freeze(MINER_BOND, UNTIL);
        _skip(THAW);
        _refuses(id, UNTIL);
        // Released together with what is free, nothing leaves either: the ids are the caller's choice.
        _stake(alice, 1 ether);
        vm.prank(alice);
        staking.withdraw(_ids(), MAX, payable(alice));
    }

    function test_liftedEarly() public {
        _freeze(MINER_BOND, UNTIL);
        _skip(THAW);
        _freeze(0, UNTIL);
        vm.assertEq(_withdraw(alice, id), 10_000 ether, "all");
    }

    /// @dev However long the court asks for, one exit is held for at most {freezeSeconds} after its release.
    function test_atMostOneDisputeBeyondTheRelease() public {
        _freeze(MINER_BOND, FOREVER >> 24);
        _skip(THAW);
        _refuses(id, START + THAW + FREEZE);
        _skip(FREEZE - 1);
        _refuses(id, START + THAW + FREEZE);
        _skip(1);
        vm.assertEq(_withdraw(alice, id), 10_000 ether, "all");
    }

    function test_votesAreNeverHeld() public {
        _vote(bob, alice, 10 ether);
        uint256 votes = _unvoteAll(bob, alice);
        _freeze(MINER_BOND, UNTIL);
        _skip(THAW);
        vm.assertEq(_withdraw(bob, votes), 10 ether, "votes");
    }

    /// @dev An owner that votes for its own node leaves with its votes too.
    function test_othersExitsAreNotHeld() public {
        _registerMiner(bob);
        vm.prank(bob);
        uint256 other = staking.unbond(10_000 ether);
        _freeze(MINER_BOND, UNTIL);
        _skip(THAW);
        vm.assertEq(_withdraw(bob, other), 10_000 ether, "another's");
    }

    /// @dev A slash while frozen lowers what is there; what is left beyond the hold leaves.
    function test_slashedWhileFrozen() public {
        _freeze(12_500 ether, UNTIL);
        _slash(alice, 12_500 ether);
        _skip(THAW);
        vm.assertEq(_thaw(alice, id).amountWei, 5_000 ether, "half");
        _refuses(id, UNTIL);
        _freeze(0, 0);
        vm.assertEq(_withdraw(alice, id), 5_000 ether, "after the case");
    }

    function testFuzz_whatStaysIsWhatIsHeld(uint256 heldSeed, uint256 slashSeed) public {
        uint256 held = _bound(heldSeed, 1, 2 * MINER_BOND);
        _slashPart(alice, _bound(slashSeed, 0, 0.9 ether));
        _freeze(held, UNTIL);
        _skip(THAW);
        (uint256 bondWei, uint256 thawingWei) = staking.bondOf(alice);
        vm.prank(alice);
        try staking.withdraw(_ids(id), MAX, payable(alice)) {
            (uint256 bondAfter, uint256 thawingAfter) = staking.bondOf(alice);
            vm.assertEq(bondAfter, bondWei, "bond");
            uint256 least = held < bondWei + thawingWei ? held : bondWei + thawingWei;
            if (thawingAfter != 0) vm.assertGe(bondAfter + thawingAfter, least, "held");
            if (thawingAfter != 0) vm.assertLe(bondAfter + thawingAfter, least + 1, "no more than that");
            if (thawingAfter == 0) vm.assertGe(bondWei, held, "all of it was spare");
        } catch (bytes memory data) {
            vm.assertTrue(bytes4(data) == IStaking.ExitFrozen.selector, "error");
            vm.assertLe(bondWei + thawingWei, held, "nothing was spare");
        }
    }
}
