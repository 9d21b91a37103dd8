// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking, Profile, Role, ThawKind} from "../../src/interfaces/IStaking.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

contract NodeTest is TestBase {
    function setUp() public override {
        super.setUp();
        _registerMiner(alice);
    }

    // ---- setProfile ----

    function test_setProfile() public {
        Profile memory profile = Profile("other", "", "words");
        vm.expectEmit(address(staking));
        emit IStaking.ProfileSet(alice, "other", "", "words");
        vm.prank(alice);
        staking.setProfile(profile);
        vm.assertEq(staking.getNode(alice).profileHash, bytes12(keccak256(abi.encode(profile))), "hash");
    }

    // ---- setOperator ----

    function test_setOperator() public {
        uint256 key = _operatorKey(alice, 1);
        bytes memory signature = _signRegistration(key, alice, Role.Miner, START);
        vm.expectEmit(address(staking));
        emit IStaking.OperatorSet(alice, vm.addr(key), _operator(alice));
        vm.prank(alice);
        staking.setOperator(vm.addr(key), START, signature);

        vm.assertEq(staking.getNode(alice).operator, vm.addr(key), "operator");
        vm.assertEq(staking.getNode(alice).nonce, 2, "nonce");
        (address owner, uint64 validUntil) = staking.operatorRecord(vm.addr(key));
        vm.assertEq(owner, alice, "new key's node");
        vm.assertEq(uint256(validUntil), FOREVER, "new key's validity");
        (owner, validUntil) = staking.operatorRecord(_operator(alice));
        vm.assertEq(owner, alice, "the old key stays bound");
        vm.assertEq(uint256(validUntil), START + THAW, "the old key counts for one thaw more");
    }

    function test_setTheSameOperator() public {
        _setOperator(alice, _operatorKey(alice, 0));
        (, uint64 validUntil) = staking.operatorRecord(_operator(alice));
        vm.assertEq(uint256(validUntil), FOREVER, "validity");
        vm.assertEq(staking.getNode(alice).nonce, 2, "nonce");
    }

    function test_goBackToAnOldOperator() public {
        _setOperator(alice, _operatorKey(alice, 1));
        _setOperator(alice, _operatorKey(alice, 0));
        (, uint64 validUntil) = staking.operatorRecord(_operator(alice));
        vm.assertEq(uint256(validUntil), FOREVER, "validity");
    }

    // ---- setVoterShare ----

    function test_voterShareRisesAtOnce() public {
        vm.expectEmit(address(staking));
        emit IStaking.VoterShareSet(alice, 10_000, START);
        vm.prank(alice);
        staking.setVoterShare(10_000);
        vm.assertEq(uint256(staking.getNode(alice).voterShareBps), 10_000, "share");
    }

    function test_voterShareDropsAfterOneThaw() public {
        vm.expectEmit(address(staking));
        emit IStaking.VoterShareSet(alice, 100, START + THAW);
        vm.prank(alice);
        staking.setVoterShare(100);
        _skip(THAW - 1);
        vm.assertEq(uint256(staking.getNode(alice).voterShareBps), 5_000, "one second before");
        _skip(1);
        vm.assertEq(uint256(staking.getNode(alice).voterShareBps), 100, "one thaw later");
    }

    function test_aRiseCancelsADrop() public {
        vm.startPrank(alice);
        staking.setVoterShare(100);
        staking.setVoterShare(5_000);
        _skip(2 * THAW);
        vm.assertEq(uint256(staking.getNode(alice).voterShareBps), 5_000, "share");
    }

    function test_aSecondDropStartsItsOwnNotice() public {
        vm.startPrank(alice);
        staking.setVoterShare(4_000);
        _skip(THAW / 2);
        staking.setVoterShare(100);
        _skip(THAW - 1);
        vm.assertEq(uint256(staking.getNode(alice).voterShareBps), 5_000, "before");
        _skip(1);
        vm.assertEq(uint256(staking.getNode(alice).voterShareBps), 100, "after");
    }

    function test_aDropInForceIsWhatTheNextChangeStartsFrom() public {
        vm.startPrank(alice);
        staking.setVoterShare(1_000);
        _skip(THAW);
        staking.setVoterShare(500);
        vm.assertEq(uint256(staking.getNode(alice).voterShareBps), 1_000, "in force");
    }

    function test_voterShareTooHigh() public {
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IStaking.VoterShareTooHigh.selector, 10_001));
        staking.setVoterShare(10_001);
    }

    // ---- deregister ----

    function test_deregister() public {
        _vote(bob, alice, 60 ether);
        vm.expectEmit(address(staking));
        emit IStaking.NodeDeregistered(alice, Role.Miner);
        vm.expectEmit(address(staking));
        emit IStaking.ThawStarted(alice, alice, ThawKind.Bond, _bondThaw(alice), MINER_BOND, START + THAW);
        vm.expectEmit(address(staking));
        emit IStaking.NodeWeightChanged(alice, Role.Miner, false, 0, 60 ether, 0);
        vm.prank(alice);
        staking.deregister();

        IStaking.NodeView memory node = staking.getNode(alice);
        vm.assertTrue(node.role == Role.None, "role");
        vm.assertFalse(node.active, "active");
        vm.assertEq(node.operator, address(0), "operator");
        vm.assertEq(uint256(node.registeredAt), 0, "registered at");
        vm.assertEq(node.bondWei, 0, "bond");
        vm.assertEq(node.votesWei, 60 ether, "votes");
        vm.assertEq(node.weightWei, 0, "weight");
        vm.assertEq(node.nonce, 1, "nonce");
        vm.assertEq(staking.nodeCount(Role.Miner), 0, "count");
        vm.assertEq(staking.totalWeight(Role.Miner), 0, "total weight");
        (address owner, uint64 validUntil) = staking.operatorRecord(_operator(alice));
        vm.assertEq(owner, alice, "the key stays bound");
        vm.assertEq(uint256(validUntil), START + THAW, "the key counts for one thaw more");
    }

    function test_deregisterWithoutBond() public {
        vm.startPrank(alice);
        staking.unbond(MINER_BOND);
        _skip(1);
        staking.deregister();
        vm.assertEq(staking.getThaws(alice, _ids(_bondThaw(alice))).length, 0, "no empty thaw");
    }

    function test_aNodeThatLeftGivesItsOldKeyNoMoreTime() public {
        vm.prank(alice);
        staking.deregister();
        _skip(1 days);
        _setOperatorByRegistering(1);
        (, uint64 validUntil) = staking.operatorRecord(_operator(alice));
        vm.assertEq(uint256(validUntil), START + THAW, "validity");
    }

    function _setOperatorByRegistering(uint256 number) private {
        uint256 key = _operatorKey(alice, number);
        bytes memory signature = _signRegistration(key, alice, Role.Miner, FOREVER);
        vm.prank(alice);
        staking.register{value: MINER_BOND}(Role.Miner, vm.addr(key), 0, MINER_BOND, _profile(), FOREVER, signature);
    }

    // ---- only a node's owner ----

    function test_onlyRegisteredOwners() public {
        bytes memory notRegistered = abi.encodeWithSelector(IStaking.NotRegistered.selector, bob);
        vm.startPrank(bob);
        vm.expectRevert(notRegistered);
        staking.setProfile(_profile());
        vm.expectRevert(notRegistered);
        staking.setOperator(bob, FOREVER, "");
        vm.expectRevert(notRegistered);
        staking.setVoterShare(1);
        vm.expectRevert(notRegistered);
        staking.deregister();
    }
}
