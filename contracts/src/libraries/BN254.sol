// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title BN254
/// @notice The curve y^2 = x^3 + 3 over the field of P elements, also called alt_bn128, by the precompiles of EIP-196,
/// EIP-197 and EIP-198.
///
/// A point of G1 is (x, y), and (0, 0) the one at infinity. A point of G2 is four words in EIP-197's order, imaginary parts
/// first: x.c1, x.c0, y.c1, y.c0. G1 has prime order: whatever is on the curve is in the group, and no point but infinity
/// has y = 0.
library BN254 {
    /// @dev The field's modulus; P = 3 mod 4.
    uint256 internal constant P = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47;

    // The generator of G2, from EIP-197.
    uint256 internal constant G2_X1 = 0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2;
    uint256 internal constant G2_X0 = 0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed;
    uint256 internal constant G2_Y1 = 0x090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b;
    uint256 internal constant G2_Y0 = 0x12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa;

    address private constant MODEXP = address(5);
    address private constant ADD = address(6);
    address private constant PAIRING = address(8);

    /// @dev Too little gas, a chain without the precompile, or a point that is not on the curve.
    error PrecompileFailed(address precompile);

    /// @notice Whether (x, y) is a point of G1 other than infinity, in its only encoding: both coordinates below P.
    function isG1(uint256 x, uint256 y) internal pure returns (bool) {
        return x < P && y < P && mulmod(y, y, P) == cubic(x);
    }

    /// @notice Whether `point` is a point of G2 other than infinity, in its only encoding. Spends almost all gas if it is not.
    function isG2(uint256[4] memory point) internal view returns (bool) {
        if (point[0] | point[1] | point[2] | point[3] == 0) return false;
        // EIP-197 checks the coordinates, the curve and the subgroup. Length 0 is a chain without the precompile.
        (bool called, bytes memory answer) = PAIRING.staticcall(abi.encode(1, 2, point));
        return called && answer.length == 32;
    }

    /// @notice x^3 + 3.
    function cubic(uint256 x) internal pure returns (uint256) {
        return addmod(mulmod(mulmod(x, x, P), x, P), 3, P);
    }

    /// @notice base^exponent in the field.
    function pow(uint256 base, uint256 exponent) internal view returns (uint256) {
        return abi.decode(_call(MODEXP, abi.encode(32, 32, 32, base, exponent, P), 32), (uint256));
    }

    /// @notice The sum of two points of G1.
    function add(uint256 x1, uint256 y1, uint256 x2, uint256 y2) internal view returns (uint256 x, uint256 y) {
        return abi.decode(_call(ADD, abi.encode(x1, y1, x2, y2), 64), (uint256, uint256));
    }

    /// @notice Whether e(A, B) * e(C, D) = 1, where `points` is A, B, C, D and A, C are in G1, B, D in G2.
    function isPairingOne(uint256[12] memory points) internal view returns (bool) {
        return abi.decode(_call(PAIRING, abi.encode(points), 32), (uint256)) == 1;
    }

    function _call(address precompile, bytes memory input, uint256 length) private view returns (bytes memory answer) {
        bool called;
        (called, answer) = precompile.staticcall(input);
        // A call to an address without code succeeds with an empty answer.
        if (!called || answer.length != length) revert PrecompileFailed(precompile);
    }
}
