// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICourt} from "../../src/interfaces/ICourt.sol";
import {IPayments} from "../../src/interfaces/IPayments.sol";
import {IStaking} from "../../src/interfaces/IStaking.sol";
import {IStakingHooks} from "../../src/interfaces/IStakingHooks.sol";
import {Role} from "../../src/interfaces/Role.sol";
import {Voucher} from "../../src/libraries/Signed.sol";
import {Disputes} from "../utils/Disputes.sol";
import {vm} from "../utils/Vm.sol";

/// @notice A crowd, of voters, exits, nodes, lines, claims or disputes, that makes others' calls too dear to be made. What a call
/// costs after the crowd came is what it cost before: each test calls once to warm what is shared, then compares.
contract UnboundedLoopsAttack is Disputes {
    uint256 private constant CROWD = 100;
    /// @dev Far below one warm read for each of the crowd, with the loop around it.
    uint256 private constant SLACK = 5_000;

    function _gas(address caller, address target, bytes memory data) private returns (uint256 used) {
        vm.prank(caller);
        used = gasleft();
        (bool passed,) = target.call(data);
        used -= gasleft();
        vm.assertTrue(passed, "called");
    }

    function _assertConstant(uint256 before, uint256 later, string memory message) private pure {
        vm.assertLe(later, before + SLACK, message);
    }

    function _name(string memory kind, uint256 number) private pure returns (string memory) {
        return string(abi.encodePacked(kind, bytes2(uint16(0x3030 + (number / 10) * 256 + number % 10))));
    }

    /// @dev One voter for `node` with an exit under way and votes left; then a crowd of them.
    function _crowdOfVoters(address node) private {
        for (uint256 i = 0; i < CROWD; ++i) {
            address voter = _account(_name("crowd ", i));
            _vote(voter, node, 10 ether);
            vm.prank(voter);
            staking.unvote(node, 1e24, 0);
        }
    }

    /// @dev What the court, the node and one voter do on a node with few voters, and on one with many.
    function test_manyVotersAndTheirExits() public {
        address voter = _account("voter");
        address[3] memory nodes = [jurors[0], jurors[1], jurors[2]];
        uint256[6][3] memory used;
        for (uint256 i = 0; i < 3; ++i) {
            _vote(voter, nodes[i], 100 ether);
            if (i == 2) _crowdOfVoters(nodes[i]);
        }
        _vote(voter, nodes[2], 100 ether);
        vm.deal(voter, 1_000 ether);
        vm.prank(voter);
        staking.stake{value: 1_000 ether}();
        for (uint256 i = 0; i < 3; ++i) {
            address node = nodes[i];
            _redeemTo(node);
            used[i][0] =
                _gas(address(court), address(staking), abi.encodeCall(IStakingHooks.slash, (node, 100 ether, 0, 0, 1)));
            used[i][1] = _gas(voter, address(staking), abi.encodeCall(IStaking.vote, (node, 1 ether, 0)));
            used[i][2] = _gas(voter, address(staking), abi.encodeCall(IStaking.unvote, (node, 1e24, 0)));
            used[i][3] = _gas(node, address(staking), abi.encodeWithSignature("claim(address)", node));
            used[i][4] = _gas(node, address(staking), abi.encodeCall(IStaking.setVoterShare, (100)));
            used[i][5] = _gas(node, address(staking), abi.encodeCall(IStaking.unbond, (1 ether)));
        }
        string[6] memory names = ["slash", "vote", "unvote", "claim", "setVoterShare", "unbond"];
        for (uint256 i = 0; i < 6; ++i) {
            _assertConstant(used[1][i], used[2][i], names[i]);
        }
    }

    function _redeemTo(address node) private {
        _deposit(coordinator, 1 ether);
        _raise(coordinator, node, 1 ether);
        _redeem(coordinator, node, 1 ether);
    }

    /// @dev One's own hundred exits do not make the next, or the withdrawal of one of them, any dearer.
    function test_manyExitsOfOnesOwn() public {
        bytes memory one = abi.encodeCall(IStaking.unbond, (1));
        _gas(miner, address(staking), one);
        uint256 firstId = _exitId();
        _skip(1);
        uint256 before = _gas(miner, address(staking), one);
        uint256 secondId = _exitId();
        for (uint256 i = 0; i < CROWD; ++i) {
            _skip(1);
            _gas(miner, address(staking), one);
        }
        uint256 lastId = _exitId();
        _skip(1);
        _assertConstant(before, _gas(miner, address(staking), one), "unbond");
        _skip(THAW);
        _gas(miner, address(staking), _withdrawal(firstId));
        before = _gas(miner, address(staking), _withdrawal(secondId));
        _assertConstant(before, _gas(miner, address(staking), _withdrawal(lastId)), "withdraw");
    }

    function _exitId() private view returns (uint256) {
        return uint256(uint160(miner)) << 96 | (_now() + THAW);
    }

    function _withdrawal(uint256 id) private view returns (bytes memory) {
        return abi.encodeCall(IStaking.withdraw, (_list(id), 0, payable(miner)));
    }

    /// @dev A list of a hundred nodes more: registering, leaving from its middle, settling and slashing cost the same.
    function test_manyNodes() public {
        uint256 before = _registerGas("first");
        bytes memory departure = abi.encodeCall(IStaking.deregister, ());
        uint256 leaveGas = _gas(jurors[0], address(staking), departure);
        uint256 slashGas =
            _gas(address(court), address(staking), abi.encodeCall(IStakingHooks.slash, (jurors[2], 1 ether, 0, 0, 1)));
        for (uint256 i = 0; i < CROWD; ++i) {
            _registerMiner(_name("node ", i));
        }
        _assertConstant(before, _registerGas("last"), "register");
        _assertConstant(leaveGas, _gas(jurors[1], address(staking), departure), "deregister");
        _assertConstant(
            slashGas,
            _gas(address(court), address(staking), abi.encodeCall(IStakingHooks.slash, (jurors[3], 1 ether, 0, 0, 1))),
            "slash"
        );
    }

    function _registerGas(string memory name) private returns (uint256) {
        address owner = _account(name);
        vm.deal(owner, MINER_BOND);
        vm.prank(owner);
        staking.stake{value: MINER_BOND}();
        uint256 key = _operatorKey(owner, 0);
        bytes memory signature = _signRegistration(key, owner, Role.Miner);
        bytes memory data = abi.encodeCall(
            IStaking.register, (Role.Miner, vm.addr(key), 5_000, MINER_BOND, _profile(), FOREVER, signature)
        );
        return _gas(owner, address(staking), data);
    }

    /// @dev A coordinator with a hundred lines and claims: leaving it, slashing it, redeeming and collecting from it.
    function test_manyLinesAndClaims() public {
        bytes memory unbond = abi.encodeCall(IStaking.unbond, (1));
        bytes memory slash = abi.encodeCall(IStakingHooks.slash, (coordinator, 1 ether, 0, 0, 1));
        _raise(coordinator, jurors[0], 1_000 ether);
        _redeem(coordinator, jurors[0], 1 ether);
        _redeem(coordinator, jurors[0], 2 ether);
        _skip(THAW);
        payments.collect(1);
        uint256 collectGas = _collectGas(2);
        _redeem(coordinator, jurors[0], 3 ether);
        _gas(coordinator, address(staking), unbond);
        _gas(address(court), address(staking), slash);
        uint256 redeemGas = _redeemGas(jurors[0], 4 ether);
        uint256 unbondGas = _gas(coordinator, address(staking), unbond);
        uint256 slashGas = _gas(address(court), address(staking), slash);
        for (uint256 i = 0; i < CROWD; ++i) {
            address each = _registerMiner(_name("node ", i));
            _raise(coordinator, each, 10 ether);
            _redeem(coordinator, each, 1 ether);
        }
        _assertConstant(redeemGas, _redeemGas(jurors[0], 5 ether), "redeem");
        vm.assertEq(payments.getClaim(CROWD + 5).amountWei, 1 ether, "behind the crowd's claims");
        _assertConstant(unbondGas, _gas(coordinator, address(staking), unbond), "unbond");
        _assertConstant(slashGas, _gas(address(court), address(staking), slash), "slash");
        _skip(THAW);
        _assertConstant(collectGas, _collectGas(CROWD + 5), "collect");
    }

    function _collectGas(uint256 claimId) private returns (uint256) {
        return _gas(address(this), address(payments), abi.encodeCall(IPayments.collect, (claimId)));
    }

    function _redeemGas(address to, uint256 cumulativeWei) private returns (uint256) {
        (Voucher memory voucher, bytes memory signature) = _voucher(coordinator, to, cumulativeWei);
        return
            _gas(address(this), address(payments), abi.encodeCall(IPayments.redeem, (_list(voucher), _list(signature))));
    }

    /// @dev Twelve disputes open on one node: closing one, and leaving the node, cost what they cost with one.
    function test_manyDisputes() public {
        uint256 first = _challenge(1);
        _closeUnsealedGas(first);
        uint256 second = _challenge(2);
        uint256 before = _closeUnsealedGas(second);
        uint256 sealGas = _sealGas(_challenge(3));
        uint256 third = _challenge(4);
        for (uint256 i = 0; i < 12; ++i) {
            _challenge(5 + i);
        }
        vm.assertEq(court.getRecord(miner).openDisputes, 14, "open");
        _assertConstant(sealGas, _sealGas(third), "seal");
        _assertConstant(before, _closeUnsealedGas(16), "conclude");
    }

    function _sealGas(uint256 caseId) private returns (uint256) {
        _skip(court.sealSeconds());
        return _gas(address(this), address(court), abi.encodeCall(ICourt.seal, (caseId, "")));
    }

    /// @dev The shortest way to a close: the seed never came.
    function _closeUnsealedGas(uint256 caseId) private returns (uint256) {
        _skip(THAW + 1 hours);
        return _gas(address(this), address(court), abi.encodeCall(ICourt.conclude, (caseId)));
    }
}
