// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IRewards} from "../../src/interfaces/IRewards.sol";
import {IStaking, StakingParameters} from "../../src/interfaces/IStaking.sol";
import {Staking} from "../../src/Staking.sol";
import {StakingHarness} from "../utils/StakingHarness.sol";
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

/// @dev Slashes, and slashes again when it is paid.
contract ReentrantCourt {
    Staking private staking;
    bool private refuses;
    bytes4 public answer;
    uint256 public seenBond;
    address private node;

    function aim(Staking staking_) external {
        staking = staking_;
    }

    function refuse() external {
        refuses = true;
    }

    function slash(address node_, uint256 bondWei) external {
        node = node_;
        staking.slash(node_, bondWei, 0, 2_500, 1);
    }

    receive() external payable {
        require(!refuses);
        (seenBond,) = staking.bondOf(node);
        (bool done, bytes memory data) = address(staking).call(abi.encodeCall(staking.slash, (node, 1, 0, 0, 1)));
        answer = done ? bytes4(0) : bytes4(data);
    }
}

/// @notice Receivers that attack the calls out.
contract ReentrancyAttack is TestBase {
    bytes4 private constant REENTERED = bytes4(keccak256("ReentrancyGuardReentrantCall()"));

    Reentrant private attacker;

    function setUp() public override {
        super.setUp();
        _registerMiner(alice);
        attacker = new Reentrant(staking);
        vm.prank(bob);
        attacker.stake{value: 16 ether}();
    }

    function test_nothingThatMovesMoneyIsReentered() public {
        bytes[14] memory replies = [
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
            ),
            abi.encodeCall(IStaking.rest, (address(attacker))),
            abi.encodeCall(IStaking.rejoin, (address(attacker))),
            abi.encodeCall(IStaking.setVoterShare, (1)),
            abi.encodeCall(IRewards.claim, (address(attacker))),
            abi.encodeCall(IRewards.settle, (alice)),
            abi.encodeCall(IRewards.pour, ())
        ];
        for (uint256 i = 0; i < replies.length; ++i) {
            attacker.withdraw(1 ether, replies[i]);
            vm.assertTrue(attacker.answer() == REENTERED, "re-entered");
        }
        vm.assertEq(address(attacker).balance, 14 ether, "paid once each");
        vm.assertEq(_free(address(attacker)), 2 ether, "free");
    }

    /// @dev A reader called in the middle sees the books closed already.
    function test_viewsAreTrueInTheMiddle() public {
        attacker.withdraw(4 ether, "");
        vm.assertEq(attacker.seenFree(), 12 ether, "free as seen by the receiver");
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

    /// @dev A court that calls back while it is paid, or refuses: a slash is whole or not at all.
    function test_slashPaysLastAndOnce() public {
        StakingParameters memory parameters = _parameters();
        ReentrantCourt greedy = new ReentrantCourt();
        parameters.court = address(greedy);
        staking = new StakingHarness(parameters);
        greedy.aim(staking);
        _registerMiner(alice);
        greedy.slash(alice, 1_000 ether);
        vm.assertTrue(greedy.answer() == REENTERED, "re-entered");
        vm.assertEq(greedy.seenBond(), MINER_BOND - 1_000 ether, "the books were closed");
        vm.assertEq(address(greedy).balance, 250 ether, "paid once");
        greedy.refuse();
        vm.expectRevert(abi.encodeWithSelector(IStaking.TransferFailed.selector, address(greedy), 250 ether));
        greedy.slash(alice, 1_000 ether);
    }
}
