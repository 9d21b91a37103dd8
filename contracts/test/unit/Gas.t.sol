// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Role} from "../../src/interfaces/IStaking.sol";
import {Staking} from "../../src/Staking.sol";
import {StakingHarness} from "../utils/StakingHarness.sol";
import {TestBase} from "../utils/TestBase.sol";
import {Vm, vm} from "../utils/Vm.sol";

/// @notice What whole transactions cost: with `isolate` forge runs each call as one, so that a figure counts the 21,000 base,
/// the calldata, cold slots and refunds. The figures are written to contracts/snapshots/gas.json; limits are the project's.
/// Each is the dearest case: fresh slots for this account and node, beside other nodes of the role.
/// forge-config: default.isolate = true
/// forge-config: deep.isolate = true
contract GasTest is TestBase {
    function setUp() public override {
        // Coverage compiles without the optimizer: its figures mean nothing.
        vm.skip(vm.isContext(Vm.ForgeContext.Coverage));
        super.setUp();
        // The production contract; nothing of the harness is called.
        staking = StakingHarness(address(new Staking(_parameters())));
        _registerMiner(carol);
    }

    function test_registerWithBond() public {
        _registerMiner(alice);
        _check("register with bond", 200_000);
    }

    function test_vote() public {
        _registerMiner(alice);
        _stake(bob, 1_000 ether);
        vm.prank(bob);
        staking.vote(alice, 400 ether, 0);
        _check("vote, first of account and node", 110_000);
        vm.prank(bob);
        staking.vote(alice, 600 ether, 0);
        _check("vote, more", 90_000);
    }

    function test_unvoteAndWithdraw() public {
        _registerMiner(alice);
        _vote(bob, alice, 1_000 ether);
        _vote(dave, alice, 1_000 ether);
        _unvote(bob, alice, 500 ether * VIRTUAL_SHARES);
        _check("request exit of votes, first of account and node", 125_000);
        _unvote(dave, alice, 500 ether * VIRTUAL_SHARES);
        _check("request exit of votes, another account", 125_000);
        _unvoteAll(bob, alice);
        _check("request exit of votes, whole position", 125_000);
        uint256 id = _votesThaw(alice);
        _skip(THAW);
        vm.prank(bob);
        staking.withdraw(_ids(id), MAX, payable(bob));
        _check("withdraw one exit of votes", 60_000);
    }

    function test_unbondAndWithdraw() public {
        _registerMiner(alice);
        vm.prank(alice);
        staking.unbond(1_000 ether);
        _check("request exit of bond, first", 125_000);
        _skip(EPOCH);
        vm.prank(alice);
        staking.unbond(1_000 ether);
        _check("request exit of bond, later epoch", 125_000);
        vm.prank(alice);
        staking.deregister();
        _check("deregister", 125_000);
        uint256 id = _bondThaw(alice);
        _skip(THAW);
        vm.prank(alice);
        staking.withdraw(_ids(id), MAX, payable(alice));
        _check("withdraw one exit of bond", 60_000);
    }

    function test_money() public {
        _stake(bob, 1 ether);
        _check("stake, first", 60_000);
        _stake(bob, 1 ether);
        _check("stake, more", 40_000);
        vm.prank(bob);
        staking.withdraw(_ids(), 1 ether, payable(bob));
        _check("withdraw free", 60_000);
    }

    function test_nodes() public {
        _registerMiner(alice);
        _setOperator(alice, _operatorKey(alice, 1));
        _check("set operator", 90_000);
        vm.prank(alice);
        staking.setVoterShare(1_000);
        _check("set voter share", 60_000);
        vm.prank(alice);
        staking.setProfile(_profile());
        _check("set profile", 45_000);
        _stake(alice, 1_000 ether);
        vm.prank(alice);
        staking.bond(1_000 ether);
        _check("bond more, first", 100_000);
        _stake(alice, 1_000 ether);
        vm.prank(alice);
        staking.bond(1_000 ether);
        _check("bond more", 70_000);
    }

    // ---- while rewards run: each settles a stream that flows, with voters and a drip ----

    function _run() private {
        _register(alice, Role.Miner, MINER_BOND, 5_000);
        _vote(bob, alice, 1_000 ether);
        _fundStream(Role.Miner, 1_000_000 ether);
        _income(alice, 100 ether);
        _skip(1 hours);
    }

    function test_withRewardsRunning() public {
        _run();
        _registerMiner(dave);
        _check("register with bond, rewards running", 200_000);
        _skip(1 hours);
        _stake(carol, 1_000 ether);
        vm.prank(carol);
        staking.vote(alice, 400 ether, 0);
        _check("vote, first of account, rewards running", 110_000);
        _skip(1 hours);
        vm.prank(carol);
        staking.vote(alice, 600 ether, 0);
        _check("vote, more, rewards running", 90_000);
        _skip(1 hours);
        vm.prank(carol);
        staking.unvote(alice, 1e20, 0);
        _check("request exit of votes, first, rewards running", 125_000);
        _skip(1 hours);
        vm.prank(alice);
        staking.unbond(1_000 ether);
        _check("request exit of bond, first, rewards running", 125_000);
    }

    function test_voteFirstOfNodeWithRewardsRunning() public {
        _fundStream(Role.Miner, 1_000_000 ether);
        _registerMiner(alice);
        _stake(bob, 400 ether);
        _skip(1 hours);
        vm.prank(bob);
        staking.vote(alice, 400 ether, 0);
        _check("vote, first of account and node, rewards running", 110_000);
    }

    function test_settleAndClaim() public {
        _run();
        _stake(alice, 1 ether);
        staking.settle(alice);
        _check("settle, with income dripping", 70_000);
        _skip(1 hours);
        vm.prank(alice);
        staking.claim(alice);
        _check("claim", 65_000);
        _skip(1 hours);
        vm.prank(_operator(alice));
        staking.claim(alice);
        _check("claim, by the operator", 65_000);
    }

    /// @dev An account that never held anything free pays for its slot once.
    function test_firstClaim() public {
        _run();
        vm.prank(alice);
        staking.claim(alice);
        _check("claim, first of an account that never staked", 90_000);
    }

    /// @dev As a call of the court's: less the 21,000 of a transaction. Its calldata stays in.
    function test_slash() public {
        _run();
        _vote(dave, alice, 100 ether);
        uint256 one = _costOfASlash("slash, as a transaction");
        _crowd(50);
        uint256 fifty = _costOfASlash("slash, as a transaction, 50 voters");
        vm.assertApproxEqAbs(one, fifty, 500, "a slash costs more with more voters");
        vm.assertLe(fifty - 21_000, 90_000, "slash as a call");
    }

    /// @dev The dearest: in the second of two successive epochs, with all three pools and the court's part.
    function _costOfASlash(string memory name) private returns (uint256 gas) {
        _stake(alice, 10_000 ether);
        vm.prank(alice);
        staking.bond(10_000 ether);
        _unvote(dave, alice, 1e20);
        vm.prank(alice);
        staking.unbond(1_000 ether);
        _skip(EPOCH);
        vm.prank(court);
        staking.slash(alice, 1_000 ether, 100 ether, 2_500, 1);
        gas = vm.snapshotGasLastCall("gas", name);
    }

    function test_hooks() public {
        _run();
        _register(dave, Role.Coordinator, COORDINATOR_BOND);
        _income(alice, 1 ether);
        _check("credit income, as a transaction", 60_000);
        vm.prank(court);
        staking.jail(alice, uint64(block.timestamp));
        _check("jail, as a transaction", 120_000);
        vm.prank(alice);
        staking.rejoin(alice);
        _check("rejoin", 100_000);
        vm.prank(court);
        staking.freeze(alice, 1 ether, uint64(block.timestamp + 1 days));
        _check("freeze, as a transaction", 50_000);
        vm.startPrank(address(payments));
        (, uint128 shares, uint32 generation) = staking.claimBond(dave, 1_000 ether);
        _check("claim bond, as a transaction", 120_000);
        staking.payClaim(dave, shares, generation, alice);
        _check("pay a claim, as a transaction", 60_000);
        vm.stopPrank();
    }

    /// @dev Gas constant in nodes, voters and exits: the same calls cost the same after a crowd has come.
    function test_gasConstantInNodesVotersAndExits() public {
        _registerMiner(alice);
        _crowd(8);
        uint256 few = _costOfAVoterLife("few");
        _crowd(40);
        uint256 many = _costOfAVoterLife("many");
        // Calldata bytes and value sizes differ by a few gas.
        vm.assertApproxEqAbs(few, many, 500, "a voter's life costs more in a crowd");
    }

    function _crowd(uint256 count) private {
        for (uint256 i = 0; i < count; ++i) {
            address member = vm.addr(uint256(keccak256(abi.encode(count, i))));
            _fund(member, 100_000 ether);
            _registerMiner(member);
            _vote(member, alice, 100 ether);
            _unvote(member, alice, 10 ether * VIRTUAL_SHARES);
        }
    }

    function _costOfAVoterLife(string memory name) private returns (uint256 gas) {
        address voter = _account(name);
        _fund(voter, 100 ether);
        _stake(voter, 100 ether);
        vm.prank(voter);
        staking.vote(alice, 100 ether, 0);
        gas = vm.snapshotGasLastCall("gas", "vote in a crowd");
        _unvoteAll(voter, alice);
        gas += vm.snapshotGasLastCall("gas", "request exit in a crowd");
    }

    function _check(string memory name, uint256 limit) private {
        vm.assertLe(vm.snapshotGasLastCall("gas", name), limit, name);
    }
}
