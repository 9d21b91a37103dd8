// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking, Role, ThawKind} from "../../src/interfaces/IStaking.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

contract ViewsTest is TestBase {
    function test_strangerIsEmpty() public view {
        IStaking.NodeView memory node = staking.getNode(alice);
        vm.assertEq(node.owner, alice, "owner");
        vm.assertTrue(node.role == Role.None, "role");
        vm.assertEq(node.weightWei, 0, "weight");
        vm.assertFalse(staking.isActive(alice), "active");
        (address owner, uint64 validUntil) = staking.operatorRecord(alice);
        vm.assertEq(owner, address(0), "operator's node");
        vm.assertEq(uint256(validUntil), 0, "operator's validity");
        vm.assertEq(staking.getThaws(alice, _ids(0)).length, 0, "thaws");
        vm.assertEq(staking.getNodes(Role.None, 0, MAX).length, 0, "nodes of no role");
        vm.assertEq(staking.totalWeight(Role.None), 0, "weight of no role");
    }

    function test_getThaws() public {
        _registerMiner(alice);
        _vote(alice, alice, 10 ether);
        uint256[] memory ids = new uint256[](3);
        vm.startPrank(alice);
        ids[1] = staking.unbond(1 ether);
        ids[0] = staking.unvote(alice, 2 ether * VIRTUAL_SHARES, 0);
        _skip(10);
        ids[2] = staking.unbond(3 ether);
        vm.stopPrank();

        IStaking.ThawView[] memory thaws = staking.getThaws(alice, ids);
        vm.assertEq(thaws.length, 3, "all");
        _equals(thaws[0], ids[0], ThawKind.Votes, 2 ether, START + THAW);
        _equals(thaws[1], ids[1], ThawKind.Bond, 1 ether, START + THAW);
        _equals(thaws[2], ids[2], ThawKind.Bond, 3 ether, START + THAW + 10);
        vm.assertEq(staking.getThaws(alice, _ids()).length, 0, "none asked for");
        vm.assertEq(staking.getThaws(bob, ids).length, 0, "another's");

        _skip(THAW);
        _withdraw(alice, ids[1]);
        thaws = staking.getThaws(alice, ids);
        vm.assertEq(thaws.length, 2, "withdrawn thaws are left out");
        _equals(thaws[0], ids[0], ThawKind.Votes, 2 ether, START + THAW);
        _equals(thaws[1], ids[2], ThawKind.Bond, 3 ether, START + THAW + 10);
    }

    function test_thawId() public view {
        uint256 id = staking.thawId(alice, ThawKind.Votes, 12345);
        vm.assertEq(id, (uint256(uint160(alice)) << 96) + (1 << 64) + 12345, "id");
    }

    function _equals(IStaking.ThawView memory thaw, uint256 id, ThawKind kind, uint256 amountWei, uint64 releaseAt)
        private
        view
    {
        vm.assertEq(thaw.id, id, "id");
        vm.assertEq(thaw.node, alice, "node");
        vm.assertTrue(thaw.kind == kind, "kind");
        vm.assertEq(thaw.amountWei, amountWei, "amount");
        vm.assertEq(uint256(thaw.releaseAt), releaseAt, "release");
    }

    function test_getNodesPages() public {
        _registerMiner(alice);
        _registerMiner(bob);
        _registerMiner(carol);
        _register(dave, Role.Coordinator, COORDINATOR_BOND);
        IStaking.NodeView[] memory nodes = staking.getNodes(Role.Miner, 0, MAX);
        vm.assertEq(nodes.length, 3, "miners");
        vm.assertEq(nodes[2].owner, carol, "third");
        nodes = staking.getNodes(Role.Miner, 1, 1);
        vm.assertEq(nodes.length, 1, "page");
        vm.assertEq(nodes[0].owner, bob, "second");
        vm.assertEq(nodes[0].bondWei, MINER_BOND, "a whole view");
        vm.assertEq(staking.getNodes(Role.Miner, 3, 1).length, 0, "past the end");
        vm.assertEq(staking.getNodes(Role.Coordinator, 0, 9)[0].owner, dave, "coordinator");
    }

    function test_epochs() public {
        uint64 epoch = staking.currentEpoch();
        vm.assertEq(uint256(epoch), START / EPOCH, "epoch");
        _registerMiner(alice);
        vm.assertEq(staking.activeBondAt(alice, epoch), MINER_BOND, "so far");
        vm.assertEq(staking.activeBondAt(alice, epoch - 1), 0, "before");
        _skip(EPOCH);
        vm.assertEq(staking.activeBondAt(alice, epoch), MINER_BOND, "untouched since");
        vm.assertEq(staking.activeBondAt(alice, epoch + 1), MINER_BOND, "now");
        vm.assertEq(staking.totalActiveBondAt(Role.Miner, epoch), MINER_BOND, "total");
        vm.assertEq(staking.totalActiveBondAt(Role.Coordinator, epoch), 0, "total of the other role");
    }

    function test_otherEpochsAreUnknown() public {
        _registerMiner(alice);
        uint64 epoch = staking.currentEpoch();
        bytes memory invalid = abi.encodeWithSelector(IStaking.ParameterInvalid.selector, "epoch");
        uint64[4] memory others = [0, epoch - 3, epoch + 1, FOREVER];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(invalid);
            staking.activeBondAt(alice, others[i]);
            vm.expectRevert(invalid);
            staking.minerBondAt(alice, others[i]);
            vm.expectRevert(invalid);
            staking.totalActiveBondAt(Role.Miner, others[i]);
        }
        vm.assertEq(staking.activeBondAt(alice, epoch - 2), 0, "two before its only change");
        vm.assertEq(staking.activeBondAt(bob, 0), 0, "a stranger never had any");
        vm.expectRevert(invalid);
        staking.totalActiveBondAt(Role.Miner, epoch - 2);
    }

    /// @dev The digest by hand: wallets and the clients compute it from these strings.
    function test_registrationDigest() public view {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Cuckoo"),
                keccak256("1"),
                block.chainid,
                address(staking)
            )
        );
        vm.assertEq(staking.domainSeparator(), domain, "domain");
        bytes32 content = keccak256(
            abi.encode(
                keccak256("Registration(address owner,address operator,uint8 role,uint256 nonce,uint64 deadline)"),
                alice,
                bob,
                uint8(2),
                uint256(3),
                uint64(4)
            )
        );
        vm.assertEq(
            staking.registrationDigest(alice, bob, Role.Coordinator, 3, 4),
            keccak256(abi.encodePacked("\x19\x01", domain, content)),
            "digest"
        );
    }
}
