// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {Payments} from "../../src/Payments.sol";
import {Role} from "../../src/interfaces/Role.sol";
import {Signed, Voucher} from "../../src/libraries/Signed.sol";
import {StakingMock} from "./StakingMock.sol";
import {vm} from "./Vm.sol";
import {Lists} from "./Lists.sol";

/// @notice Payments over stake that a test sets: a coordinator with 100 of bond, two miners, and one-line ways to lines
/// and vouchers. The test itself is the court.
abstract contract PaymentsBase is Lists {
    uint64 internal constant THAW = 7 days;
    uint64 internal constant TOP_UP = 3 days;
    uint64 internal constant START = 1_800_000_000;
    uint256 internal constant BOND = 100 ether;

    StakingMock internal staking;
    Payments internal payments;

    address internal immutable coordinator = vm.addr(_key("coordinator"));
    address internal immutable operator = vm.addr(_key("operator"));
    address internal immutable miner = vm.addr(_key("miner"));
    address internal immutable other = vm.addr(_key("other"));
    address internal immutable stranger = vm.addr(_key("stranger"));

    function setUp() public virtual {
        vm.warp(START);
        staking = new StakingMock();
        staking.wire(_nextCreated(), address(this), address(0));
        payments = new Payments(staking, TOP_UP);
        vm.deal(address(this), 1_000_000 ether);
        staking.setNode{value: BOND}(coordinator, operator, Role.Coordinator);
        staking.setNode{value: 30 ether}(miner, vm.addr(_key("miner's operator")), Role.Miner);
        staking.setNode{value: 30 ether}(other, vm.addr(_key("other's operator")), Role.Miner);
    }

    /// @dev The court is paid here.
    receive() external payable {}

    // ---- one step each ----

    function _deposit(uint256 amountWei) internal {
        payments.deposit{value: amountWei}(coordinator);
    }

    function _raise(address caller, address to, uint256 addedWei) internal {
        vm.prank(caller);
        payments.raiseLines(coordinator, _list(to), _list(addedWei));
    }

    function _raise(address to, uint256 addedWei) internal {
        _raise(coordinator, to, addedWei);
    }

    function _notice(address to, uint256 capWei) internal {
        vm.prank(coordinator);
        payments.noticeLine(coordinator, to, capWei);
    }

    function _request(uint256 amountWei) internal {
        vm.prank(coordinator);
        payments.requestWithdrawal(amountWei);
    }

    function _withdraw(address to) internal {
        vm.prank(coordinator);
        payments.withdraw(payable(to));
    }

    function _redeem(address to, uint256 cumulativeWei) internal returns (uint256 paidWei, uint256 claimedWei) {
        return _redeem(_voucher(to, cumulativeWei), _key("operator"));
    }

    function _redeem(Voucher memory voucher, uint256 key) internal returns (uint256 paidWei, uint256 claimedWei) {
        return payments.redeem(_list(voucher), _list(_sign(key, voucher)));
    }

    /// @dev A line of `amountWei` on the bond for `to`, redeemed whole without escrow.
    function _openClaim(address to, uint256 amountWei) internal returns (uint256 claimId) {
        uint256 cumulativeWei = payments.getLine(coordinator, to).redeemedWei + amountWei;
        _raise(to, amountWei);
        _redeem(to, cumulativeWei);
        return ++_claims;
    }

    uint256 private _claims;

    function _cover(uint256 claimId) internal {
        payments.cover(_list(claimId));
    }

    function _slash(uint256 amountWei) internal {
        staking.slash(coordinator, amountWei, 0, 0, 1);
    }

    function _skip(uint256 elapsed) internal {
        vm.warp(vm.getBlockTimestamp() + elapsed);
    }

    // ---- vouchers ----

    function _key(string memory name) internal pure returns (uint256) {
        return uint256(keccak256(bytes(name)));
    }

    function _voucher(address to, uint256 cumulativeWei) internal view returns (Voucher memory) {
        return _voucherFrom(coordinator, to, cumulativeWei);
    }

    function _voucherFrom(address from, address to, uint256 cumulativeWei) internal view returns (Voucher memory) {
        return Voucher(from, to, uint128(cumulativeWei), uint64(vm.getBlockTimestamp()));
    }

    function _sign(uint256 key, Voucher memory voucher) internal view returns (bytes memory) {
        return _sign(key, voucher, staking.domainSeparator());
    }

    function _sign(uint256 key, Voucher memory voucher, bytes32 separator) internal pure returns (bytes memory) {
        bytes32 digest = MessageHashUtils.toTypedDataHash(separator, Signed.hash(voucher));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    // ---- reading ----

    function _income(address node) internal view returns (uint256 incomeWei) {
        (,,,,,,, incomeWei,,,) = staking.nodes(node);
    }

    function _bond() internal view returns (uint256 bondWei) {
        (bondWei,) = staking.bondOf(coordinator);
    }

    function _line(address to) internal view returns (uint256) {
        return payments.getLine(coordinator, to).lineWei;
    }

    function _escrow() internal view returns (uint256) {
        return payments.getCoordinator(coordinator).escrowWei;
    }

    function _open() internal view returns (uint256) {
        return payments.getCoordinator(coordinator).openWei;
    }

    /// @dev Where the next contract that this test creates will be.
    function _nextCreated() internal view returns (address) {
        return vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
    }

    /// @dev `value` brought into [low, high].
    function _bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        if (value >= low && value <= high) return value;
        return low + value % (high - low + 1);
    }
}
