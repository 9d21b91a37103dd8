// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {Court} from "../../src/Court.sol";
import {Epochs} from "../../src/Epochs.sol";
import {Payments} from "../../src/Payments.sol";
import {Staking} from "../../src/Staking.sol";
import {CourtParameters} from "../../src/interfaces/ICourt.sol";
import {Profile, StakingParameters} from "../../src/interfaces/IStaking.sol";
import {Role} from "../../src/interfaces/Role.sol";
import {Signed, Voucher} from "../../src/libraries/Signed.sol";
import {RandomnessMock} from "./RandomnessMock.sol";
import {vm} from "./Vm.sol";
import {Lists} from "./Lists.sol";

/// @notice All five contracts, wired as a deployment wires them: one account, five nonces in a row, no step afterwards,
/// with the public chains' parameters.
abstract contract Network is Lists {
    uint64 internal constant THAW = 7 days;
    uint64 internal constant BOND_EPOCH = 2 days;
    uint64 internal constant REWARD = 7 days;
    uint64 internal constant DRIP = 1 days;
    uint64 internal constant FREEZE = 4.6 days;
    uint64 internal constant TOP_UP = 3 days;
    uint64 internal constant DRAW = 1 hours;
    uint64 internal constant GRACE = 1 hours;
    uint64 internal constant START = 1_800_000_000;
    uint64 internal constant FOREVER = type(uint64).max;
    uint256 internal constant MINER_BOND = 25_000 ether;
    uint256 internal constant COORDINATOR_BOND = 2_500_000 ether;

    RandomnessMock internal randomness;
    Staking internal staking;
    Payments internal payments;
    Court internal court;
    Epochs internal epochs;

    function setUp() public virtual {
        vm.warp(START);
        uint256 nonce = vm.getNonce(address(this));
        randomness = new RandomnessMock();
        staking = _createStaking(
            StakingParameters({
                thawSeconds: THAW,
                epochSeconds: BOND_EPOCH,
                rewardSeconds: REWARD,
                dripSeconds: DRIP,
                freezeSeconds: FREEZE,
                payments: vm.computeCreateAddress(address(this), nonce + 2),
                court: vm.computeCreateAddress(address(this), nonce + 3),
                epochs: vm.computeCreateAddress(address(this), nonce + 4)
            })
        );
        payments = new Payments(staking, TOP_UP);
        court = new Court(staking, randomness, _courtParameters());
        epochs = new Epochs(staking, DRAW, GRACE);
    }

    function _createStaking(StakingParameters memory parameters) internal virtual returns (Staking) {
        return new Staking(parameters);
    }

    function _courtParameters() internal pure virtual returns (CourtParameters memory) {
        return CourtParameters({
            evidenceSeconds: 2 days,
            sealSeconds: 10 minutes,
            commitSeconds: 12 hours,
            revealSeconds: 12 hours,
            appealSeconds: 12 hours,
            jailSeconds: 7 days,
            jurorFeeWei: 1 ether,
            seats: [uint256(7), 15, 63]
        });
    }

    // ---- nodes ----

    function _key(string memory name) internal pure returns (uint256) {
        return uint256(keccak256(bytes(name)));
    }

    function _account(string memory name) internal returns (address account) {
        account = vm.addr(_key(name));
        vm.label(account, name);
    }

    /// @dev The key of an owner's `number`-th operator.
    function _operatorKey(address owner, uint256 number) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("operator", owner, number)));
    }

    function _operator(address owner) internal pure returns (address) {
        return vm.addr(_operatorKey(owner, 0));
    }

    /// @dev A node of `name` with its 0-th operator and half of its income for voters.
    function _register(string memory name, Role role, uint256 bondWei) internal returns (address owner) {
        owner = _account(name);
        vm.deal(owner, owner.balance + bondWei);
        uint256 key = _operatorKey(owner, 0);
        bytes memory signature = _signRegistration(key, owner, role);
        vm.prank(owner);
        staking.register{value: bondWei}(role, vm.addr(key), 5_000, bondWei, _profile(), FOREVER, signature);
    }

    function _registerMiner(string memory name) internal returns (address) {
        return _register(name, Role.Miner, MINER_BOND);
    }

    function _registerCoordinator(string memory name) internal returns (address) {
        return _register(name, Role.Coordinator, COORDINATOR_BOND);
    }

    function _setOperator(address owner, uint256 key) internal {
        bytes memory signature = _signRegistration(key, owner, staking.roleOf(owner));
        vm.prank(owner);
        staking.setOperator(vm.addr(key), FOREVER, signature);
    }

    function _vote(address account, address node, uint256 amountWei) internal {
        vm.deal(account, account.balance + amountWei);
        vm.prank(account);
        staking.stake{value: amountWei}();
        vm.prank(account);
        staking.vote(node, amountWei, 0);
    }

    function _unbond(address owner, uint256 amountWei) internal {
        vm.prank(owner);
        staking.unbond(amountWei);
    }

    /// @dev What a verdict takes, without the case.
    function _slash(address node, uint256 amountWei) internal {
        vm.prank(address(court));
        staking.slash(node, amountWei, 0, 2_500, 1);
    }

    function _bond(address node) internal view returns (uint256 bondWei) {
        (bondWei,) = staking.bondOf(node);
    }

    function _profile() internal pure returns (Profile memory) {
        return Profile({name: "node", url: "https://node.example/v1", description: "Two cards in the same rack."});
    }

    // ---- payments ----

    function _deposit(address coordinator, uint256 amountWei) internal {
        vm.deal(address(this), address(this).balance + amountWei);
        payments.deposit{value: amountWei}(coordinator);
    }

    function _raise(address coordinator, address miner, uint256 addedWei) internal {
        vm.prank(coordinator);
        payments.raiseLines(coordinator, _list(miner), _list(addedWei));
    }

    function _redeem(address coordinator, address miner, uint256 cumulativeWei)
        internal
        returns (uint256 paidWei, uint256 claimedWei)
    {
        (Voucher memory voucher, bytes memory signature) = _voucher(coordinator, miner, cumulativeWei);
        return payments.redeem(_list(voucher), _list(signature));
    }

    /// @dev By the coordinator's 0-th operator, now.
    function _voucher(address coordinator, address miner, uint256 cumulativeWei)
        internal
        view
        returns (Voucher memory voucher, bytes memory signature)
    {
        voucher = Voucher(coordinator, miner, uint128(cumulativeWei), uint64(vm.getBlockTimestamp()));
        signature = _sign(_operatorKey(coordinator, 0), voucher);
    }

    // ---- signatures ----

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _sign(uint256 key, Voucher memory voucher) internal view returns (bytes memory) {
        return _sign(key, MessageHashUtils.toTypedDataHash(staking.domainSeparator(), Signed.hash(voucher)));
    }

    function _signRegistration(uint256 key, address owner, Role role) internal view returns (bytes memory) {
        uint256 nonce = staking.getNode(owner).nonce;
        return _sign(key, staking.registrationDigest(owner, vm.addr(key), role, nonce, FOREVER));
    }

    // ---- small things ----

    function _skip(uint256 elapsed) internal {
        vm.warp(vm.getBlockTimestamp() + elapsed);
    }
}
