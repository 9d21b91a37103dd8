// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking} from "../../src/interfaces/IStaking.sol";
import {Staking} from "../../src/Staking.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

/// @dev Calls back with `reply` when it is paid.
contract Reentrant {
    Staking private immutable staking;
    bytes private reply;
    bytes4 public answer;
    uint256 public seenFree;

    constructor(Staking staking_) {
        staking = staking_;
    }

    function stake() external payable {
        staking.stake{value: msg.value}();
    }

    function withdraw(uint256 amountWei, bytes calldata reply_) external {
        reply = reply_;
        staking.withdraw(new uint256[](0), amountWei, payable(address(this)));
    }

    receive() external payable {
        seenFree = staking.getAccount(address(this)).freeWei;
        (bool done, bytes memory data) = address(staking).call(reply);
        answer = done ? bytes4(0) : bytes4(data);
    }
}

/// @dev Answers a payment with as much data as the gas allows.
contract ReturnBomb {
    receive() external payable {
        assembly {
            return(0, 1000000)
        }
    }
}

/// @dev Burns all gas it is given.
contract GasBurner {
    receive() external payable {
        while (true) {}
    }
}

/// @notice Receivers that attack the one call out.
contract ReentrancyAttack is TestBase {
    bytes4 private constant REENTERED = bytes4(keccak256("ReentrancyGuardReentrantCall()"));

    Reentrant private attacker;

    function setUp() public override {
        super.setUp();
        _registerMiner(alice);
        attacker = new Reentrant(staking);
        vm.prank(bob);
        attacker.stake{value: 10 ether}();
    }

    function test_nothingThatMovesMoneyIsReentered() public {
        bytes[8] memory replies = [
            abi.encodeCall(IStaking.withdraw, (_ids(), 1 ether, payable(address(attacker)))),
            abi.encodeCall(IStaking.stake, ()),
            abi.encodeCall(IStaking.bond, (1)),
            abi.encodeCall(IStaking.unbond, (1)),
            abi.encodeCall(IStaking.vote, (alice, 1 ether, 0)),
            abi.encodeCall(IStaking.unvote, (alice, 1, 0)),
            abi.encodeCall(IStaking.deregister, ()),
            abi.encodeCall(
                IStaking.register,
                (staking.getNode(alice).role, alice, 0, MINER_BOND, _profile(), FOREVER, new bytes(65))
            )
        ];
        for (uint256 i = 0; i < replies.length; ++i) {
            attacker.withdraw(1 ether, replies[i]);
            vm.assertTrue(attacker.answer() == REENTERED, "re-entered");
        }
        vm.assertEq(address(attacker).balance, 8 ether, "paid once each");
        vm.assertEq(_free(address(attacker)), 2 ether, "free");
    }

    /// @dev A reader called in the middle sees the books closed already.
    function test_viewsAreTrueInTheMiddle() public {
        attacker.withdraw(4 ether, "");
        vm.assertEq(attacker.seenFree(), 6 ether, "free as seen by the receiver");
    }

    function test_returnBomb() public {
        address bomb = address(new ReturnBomb());
        _stake(bob, 1 ether);
        vm.prank(bob);
        uint256 before = gasleft();
        staking.withdraw(_ids(), 1 ether, payable(bomb));
        // The bomb's own memory costs 2 M; copying it back would cost the caller as much again.
        vm.assertLt(before - gasleft(), 2_400_000, "gas");
        vm.assertEq(bomb.balance, 1 ether, "paid");
    }

    function test_gasBurnerHurtsOnlyWhoChoseIt() public {
        address burner = address(new GasBurner());
        _stake(bob, 1 ether);
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(IStaking.TransferFailed.selector, burner, 1 ether));
        staking.withdraw{gas: 1_000_000}(_ids(), 1 ether, payable(burner));
        vm.assertEq(_free(bob), 1 ether, "free");
        vm.prank(bob);
        staking.withdraw(_ids(), 1 ether, payable(bob));
    }
}
