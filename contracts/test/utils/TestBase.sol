// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking, Profile, Role, StakingParameters, ThawKind} from "../../src/interfaces/IStaking.sol";
import {StakingHarness} from "./StakingHarness.sol";
import {vm} from "./Vm.sol";

/// @notice What Staking asks of Payments, as a number that a test sets.
contract PaymentsStub {
    mapping(address coordinator => uint256) public requiredBondWei;

    function require_(address coordinator, uint256 amountWei) external {
        requiredBondWei[coordinator] = amountWei;
    }
}

/// @notice What every test stands on: a contract, funded accounts, and one-line ways to the states that tests begin in.
abstract contract TestBase {
    uint64 internal constant THAW = 7 days;
    uint64 internal constant EPOCH = 1 hours;
    uint64 internal constant PERIOD = 7 days;
    uint64 internal constant DRIP = 1 days;
    /// @dev 1 CAI per second for a period.
    uint256 internal constant STREAM = uint256(PERIOD) * 1 ether;
    uint64 internal constant FREEZE = 4 days + 12 hours;
    uint64 internal constant START = 1_800_000_000;
    uint64 internal constant FOREVER = type(uint64).max;

    uint256 internal constant MINER_BOND = 25_000 ether;
    uint256 internal constant COORDINATOR_BOND = 2_500_000 ether;
    uint256 internal constant MINER_THRESHOLD = 20_000 ether;
    uint256 internal constant COORDINATOR_THRESHOLD = 2_000_000 ether;
    uint256 internal constant MAX = type(uint256).max;
    uint256 internal constant VIRTUAL_SHARES = 1e6;

    StakingHarness internal staking;
    PaymentsStub internal payments;

    address internal immutable court = _account("court");
    address internal immutable epochs = _account("epochs");

    address internal immutable alice = _account("alice");
    address internal immutable bob = _account("bob");
    address internal immutable carol = _account("carol");
    address internal immutable dave = _account("dave");

    function setUp() public virtual {
        vm.warp(START);
        payments = new PaymentsStub();
        staking = new StakingHarness(_parameters());
        _fund(alice, 10_000_000 ether);
        _fund(bob, 10_000_000 ether);
        _fund(carol, 10_000_000 ether);
        _fund(dave, 10_000_000 ether);
    }

    function _parameters() internal view returns (StakingParameters memory) {
        return StakingParameters(THAW, EPOCH, PERIOD, DRIP, FREEZE, address(payments), court, epochs);
    }

    // ---- accounts and keys ----

    function _account(string memory name) internal returns (address account) {
        account = vm.addr(_key(name));
        vm.label(account, name);
    }

    function _key(string memory name) internal pure returns (uint256) {
        return uint256(keccak256(bytes(name)));
    }

    /// @dev The key of an owner's `number`-th operator.
    function _operatorKey(address owner, uint256 number) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("operator", owner, number)));
    }

    function _operator(address owner) internal pure returns (address) {
        return vm.addr(_operatorKey(owner, 0));
    }

    function _fund(address account, uint256 amountWei) internal {
        vm.deal(account, account.balance + amountWei);
    }

    // ---- signatures ----

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev The signature that `owner` needs now to take the operator with `key` in `role`.
    function _signRegistration(uint256 key, address owner, Role role, uint64 deadline)
        internal
        view
        returns (bytes memory)
    {
        uint256 nonce = staking.getNode(owner).nonce;
        return _sign(key, staking.registrationDigest(owner, vm.addr(key), role, nonce, deadline));
    }

    // ---- one step each ----

    function _profile() internal pure returns (Profile memory) {
        return Profile({
            name: "node", url: "https://node.example/v1", description: "Two cards, open weights, in the same rack."
        });
    }

    function _stake(address account, uint256 amountWei) internal {
        vm.prank(account);
        staking.stake{value: amountWei}();
    }

    function _register(address owner, Role role, uint256 bondWei) internal {
        _register(owner, role, bondWei, 5_000);
    }

    function _register(address owner, Role role, uint256 bondWei, uint16 voterShareBps) internal {
        uint256 key = _operatorKey(owner, 0);
        bytes memory signature = _signRegistration(key, owner, role, FOREVER);
        vm.prank(owner);
        staking.register{value: bondWei}(role, vm.addr(key), voterShareBps, bondWei, _profile(), FOREVER, signature);
    }

    function _registerMiner(address owner) internal {
        _register(owner, Role.Miner, MINER_BOND);
    }

    function _setOperator(address owner, uint256 key) internal {
        bytes memory signature = _signRegistration(key, owner, staking.getNode(owner).role, FOREVER);
        vm.prank(owner);
        staking.setOperator(vm.addr(key), FOREVER, signature);
    }

    function _vote(address account, address node, uint256 amountWei) internal returns (uint256 shares) {
        _stake(account, amountWei);
        vm.prank(account);
        return staking.vote(node, amountWei, 0);
    }

    function _unvote(address account, address node, uint256 shares) internal returns (uint256 id) {
        vm.prank(account);
        return staking.unvote(node, shares, 0);
    }

    function _unvoteAll(address account, address node) internal returns (uint256 id) {
        return _unvote(account, node, _sharesOf(account, node));
    }

    function _withdraw(address account, uint256 id) internal returns (uint256 paidWei) {
        uint256 before = account.balance;
        vm.prank(account);
        staking.withdraw(_ids(id), MAX, payable(account));
        return account.balance - before;
    }

    /// @dev What the court takes, nothing of which goes to it.
    function _slash(address node, uint256 bondWei) internal returns (uint256 takenWei) {
        vm.prank(court);
        (takenWei,) = staking.slash(node, bondWei, 0, 0, 1);
    }

    /// @dev `wad`/1e18 of bond and thawing bond.
    function _slashPart(address node, uint256 wad) internal returns (uint256 takenWei) {
        (uint256 bondWei, uint256 thawingWei) = staking.bondOf(node);
        return _slash(node, (bondWei + thawingWei) * wad / 1e18);
    }

    function _jail(address node, uint64 until) internal {
        vm.prank(court);
        staking.jail(node, until);
    }

    /// @dev Task income of `node`.
    function _income(address node, uint256 amountWei) internal {
        _fund(address(payments), amountWei);
        vm.prank(address(payments));
        staking.creditIncome{value: amountWei}(node);
    }

    function _fundStream(Role role, uint256 amountWei) internal {
        _fund(address(this), amountWei);
        staking.fund{value: amountWei}(role);
    }

    function _skip(uint256 elapsed) internal {
        vm.warp(vm.getBlockTimestamp() + elapsed);
    }

    // ---- reading ----

    function _ids() internal pure returns (uint256[] memory) {
        return new uint256[](0);
    }

    function _ids(uint256 id) internal pure returns (uint256[] memory ids) {
        ids = new uint256[](1);
        ids[0] = id;
    }

    /// @dev The exit that `account` begins now, or began at `startedAt`.
    function _bondThaw(address node) internal view returns (uint256) {
        return _bondThaw(node, vm.getBlockTimestamp());
    }

    function _bondThaw(address node, uint256 startedAt) internal view returns (uint256) {
        return staking.thawId(node, ThawKind.Bond, uint64(startedAt + THAW));
    }

    function _votesThaw(address node) internal view returns (uint256) {
        return _votesThaw(node, vm.getBlockTimestamp());
    }

    function _votesThaw(address node, uint256 startedAt) internal view returns (uint256) {
        return staking.thawId(node, ThawKind.Votes, uint64(startedAt + THAW));
    }

    function _thaw(address account, uint256 id) internal view returns (IStaking.ThawView memory) {
        return staking.getThaws(account, _ids(id))[0];
    }

    function _sharesOf(address account, address node) internal view returns (uint256 shares) {
        (shares,) = staking.votesOf(account, node);
    }

    function _votesOf(address account, address node) internal view returns (uint256 amountWei) {
        (, amountWei) = staking.votesOf(account, node);
    }

    function _free(address account) internal view returns (uint256) {
        return staking.getAccount(account).freeWei;
    }

    /// @dev `value` brought into [low, high].
    function _bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        if (value >= low && value <= high) return value;
        return low + value % (high - low + 1);
    }
}
