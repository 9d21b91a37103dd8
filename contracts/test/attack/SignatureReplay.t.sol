// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking, Role} from "../../src/interfaces/IStaking.sol";
import {StakingHarness} from "../utils/StakingHarness.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice An operator's signature used where, when or for whom it was not meant.
contract SignatureReplayAttack is TestBase {
    uint256 private key;
    address private operator;

    function setUp() public override {
        super.setUp();
        key = _operatorKey(alice, 0);
        operator = vm.addr(key);
    }

    function test_theSignatureAsMeant() public {
        _attempt(alice, Role.Miner, FOREVER, _signed(alice, Role.Miner, 0, FOREVER), "");
    }

    function test_onAnotherChain() public {
        bytes memory signature = _signed(alice, Role.Miner, 0, FOREVER);
        vm.chainId(1200);
        _attempt(alice, Role.Miner, FOREVER, signature, _invalid());
    }

    function test_onAnotherContract() public {
        bytes memory signature = _signed(alice, Role.Miner, 0, FOREVER);
        staking = new StakingHarness(_parameters());
        _attempt(alice, Role.Miner, FOREVER, signature, _invalid());
    }

    function test_forAnotherOwner() public {
        _attempt(bob, Role.Miner, FOREVER, _signed(alice, Role.Miner, 0, FOREVER), _invalid());
    }

    function test_forAnotherRole() public {
        _attempt(alice, Role.Coordinator, FOREVER, _signed(alice, Role.Miner, 0, FOREVER), _invalid());
    }

    function test_withAnotherNonce() public {
        _attempt(alice, Role.Miner, FOREVER, _signed(alice, Role.Miner, 1, FOREVER), _invalid());
    }

    function test_withAnotherDeadline() public {
        _attempt(alice, Role.Miner, START + 1, _signed(alice, Role.Miner, 0, START), _invalid());
    }

    function test_afterItsDeadline() public {
        bytes memory signature = _signed(alice, Role.Miner, 0, START);
        _skip(1);
        _attempt(
            alice,
            Role.Miner,
            START,
            signature,
            abi.encodeWithSelector(IStaking.SignatureExpired.selector, START, START + 1)
        );
    }

    function test_byAnotherKey() public {
        bytes32 digest = staking.registrationDigest(alice, operator, Role.Miner, 0, FOREVER);
        _attempt(alice, Role.Miner, FOREVER, _sign(_key("mallory"), digest), _invalid());
    }

    function test_malformed() public {
        bytes memory signature = _signed(alice, Role.Miner, 0, FOREVER);
        _attempt(alice, Role.Miner, FOREVER, "", _invalid());
        _attempt(alice, Role.Miner, FOREVER, new bytes(65), _invalid());
        _attempt(alice, Role.Miner, FOREVER, abi.encodePacked(signature, bytes1(0)), _invalid());
        signature[0] ^= 0x01;
        _attempt(alice, Role.Miner, FOREVER, signature, _invalid());
    }

    /// @dev The other root of the same signature, s' = n - s.
    function test_malleated() public {
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(key, staking.registrationDigest(alice, operator, Role.Miner, 0, FOREVER));
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        bytes memory signature = abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        _attempt(alice, Role.Miner, FOREVER, signature, _invalid());
    }

    function test_twice() public {
        bytes memory signature = _signed(alice, Role.Miner, 0, FOREVER);
        _attempt(alice, Role.Miner, FOREVER, signature, "");
        vm.prank(alice);
        vm.expectRevert(_invalid());
        staking.setOperator(operator, FOREVER, signature);
        vm.prank(alice);
        staking.deregister();
        _attempt(alice, Role.Miner, FOREVER, signature, _invalid());
    }

    function _signed(address owner, Role role, uint256 nonce, uint64 deadline) private view returns (bytes memory) {
        return _sign(key, staking.registrationDigest(owner, operator, role, nonce, deadline));
    }

    function _invalid() private view returns (bytes memory) {
        return abi.encodeWithSelector(IStaking.OperatorSignatureInvalid.selector, operator);
    }

    function _attempt(address owner, Role role, uint64 deadline, bytes memory signature, bytes memory expected)
        private
    {
        uint256 bondWei = role == Role.Miner ? MINER_BOND : COORDINATOR_BOND;
        vm.prank(owner);
        if (expected.length != 0) vm.expectRevert(expected);
        staking.register{value: bondWei}(role, operator, 0, bondWei, _profile(), deadline, signature);
    }
}
