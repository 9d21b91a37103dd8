// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {BN254} from "../../src/libraries/BN254.sol";
import {HashToCurve} from "../../src/libraries/HashToCurve.sol";
import {vm} from "../utils/Vm.sol";

contract HashToCurveTest {
    uint256 private constant P = BN254.P;

    /// @dev The equations of RFC 9380, 6.6.1, multiplied out.
    function test_constantsAreTheRfcs() public pure {
        vm.assertEq(HashToCurve.C1, BN254.cubic(1), "c1 = g(1)");
        vm.assertEq(addmod(mulmod(2, HashToCurve.C2, P), 1, P), 0, "2 c2 = -1");
        vm.assertEq(addmod(mulmod(HashToCurve.C3, HashToCurve.C3, P), 12, P), 0, "c3^2 = -12");
        vm.assertEq(HashToCurve.C3 % 2, 0, "sgn0(c3) = 0");
        vm.assertEq(addmod(mulmod(3, HashToCurve.C4, P), 16, P), 0, "3 c4 = -16");
        vm.assertEq(P % 4, 3, "P = 3 mod 4");
    }

    /// @dev gnark-crypto, ecc/bn254/hash_vectors_test.go: all that is there of the map alone. In turn the third, first, second,
    /// third and first candidate.
    function test_mapOfGnark() public view {
        _assertMap(
            0x0cb81538a98a2e3580076eed495256611813f6dae9e16d3d4f8de7af0e9833e1,
            0x1bb8810e2ceaf04786d4efd216fc2820ddd9363712efc736ada11049d8af5925,
            0x1efbf8d54c60d865cce08437668ea30f5bf90d287dbd9b5af31da852915e8f11
        );
        _assertMap(
            0x0ba35e127276e9000b33011860904ddee28f1d48ddd3577e2a797ef4a5e62319,
            0x0da4a96147df1f35b0f820bd35c6fac3b80e8e320de7c536b1e054667b22c332,
            0x189bd3fbffe4c8740d6543754d95c790e44cd2d162858e3b733d2b8387983bb7
        );
        _assertMap(
            0x11852286660cd970e9d7f46f99c7cca2b75554245e91b9b19d537aa6147c28fc,
            0x2ff727cfaaadb3acab713fa22d91f5fddab3ed77948f3ef6233d7ea9b03f4da1,
            0x304080768fd2f87a852155b727f97db84b191e41970506f0326ed4046d1141aa
        );
        _assertMap(
            0x174d1c85d8a690a876cc1deba0166d30569fafdb49cb3ed28405bd1c5357a1cc,
            0x11a2eaa8e3e89de056d1b3a288a7f733c8a1282efa41d28e71af065ab245df9b,
            0x060f37c447ac29fd97b9bb83be98ddccf15e34831a9cdf5493b7fede0777ae06
        );
        _assertMap(
            0x073b81432b4cf3a8a9076201500d1b94159539f052a6e0928db7f2df74bff672,
            0x27409dccc6ee4ce90e24744fda8d72c0bc64e79766f778da0c1c0ef1c186ea84,
            0x1ac201a542feca15e77f30370da183514dc99d8a0b2c136d64ede35cd0b51dc0
        );
    }

    /// @dev Where a denominator is 0, and the ends of the field.
    function test_mapOfExceptionalElements() public view {
        uint256 half = (P + 1) / 2;
        _assertMap(half, P - half, 0x0a6ea289876b139cfe2cd1f08c065a2ab4aad542eaccb013520ea36934e877b4);
        _assertMap(0, P - half, 0x0a6ea289876b139cfe2cd1f08c065a2ab4aad542eaccb013520ea36934e877b4);
        _assertMap(
            1,
            0x2b8d79cdcaaca9beddf982188d7d92fd2acc298e53b6ec72d69aab86960a1727,
            0x16de5b0e1c87130160106734a03a0e2a4a78ed715dba060f06235c2abdb920e5
        );
        _assertMap(
            P - 1,
            0x04d6d4a51684f66ada56c39df403c5606cb5410314bade1a6585e0904272e61f,
            0x105bb97ca2044e82558ac2ec879332ba1a732cf7e4b4840127900bc7b7731108
        );
    }

    /// @dev drand/kyber, pairing/bn254/point_test.go.
    function test_hashOfKyber() public view {
        _assertHash(
            "The Times 03/Jan/2009 Chancellor on brink of second bailout for banks",
            "domain_separation_tag_test_12345",
            0x13af4ace8febc1ec800f7d33d66868310516bce9cb1b7f7c68607f9ba6dba92c,
            0x1823b8f13feeb8dad6b152eb2bbefbe59452f9519c88230b55d0b699498db6f1
        );
        _assertHash(
            hex"e0a05cbb37fd6c159732a8c57b981773f7480695328b674d8a9cc083377f1811",
            "domain_separation_tag_test_12345",
            0x07abd743dc93dfa3a8ee4ab449b1657dc6232c589612b23a54ea461c7232101e,
            0x2533badbee56e8457731fc35bb7630236623e4614e4f8acb4a0c3282df58a289
        );
    }

    /// @dev randa-mu/bls-solidity, test/data/testcases_bn254.json: made with arkworks; the second is evmnet's round 9337227.
    function test_hashOfArkworks() public view {
        _assertHash(
            "hello",
            "BN254G1_XMD:KECCAK-256_SVDW_RO",
            0x0beef402c4c94fac44fe220ef0cb7f56fb2d2f6a0500930282c170ee6afa447f,
            0x1cb8fd2d4488f28d14d1ab7a4ac224049e24f245481e670a51178d2895bb10a1
        );
        _assertHash(
            hex"baf09720c37cb921fd8362b1d907232ac0b813ffba768c714aeaace987e7fd6b",
            "BLS_SIG_BN254G1_XMD:KECCAK-256_SVDW_RO_NUL_",
            0x1626082c3dd0751bdaaf8c3e709b5dd7cdedf45d4e81a5aa3e270f1e78924b32,
            0x2bf29ab3af54dfe3c053ad4efa93db05d3586368463e9d7334c7ba61f6f4e955
        );
    }

    function test_pointsOffTheCurveAreNotAdded() public {
        vm.expectRevert(abi.encodeWithSelector(BN254.PrecompileFailed.selector, address(6)));
        this.add(1, 1);
    }

    function add(uint256 x, uint256 y) external view returns (uint256, uint256) {
        return BN254.add(x, y, 1, 2);
    }

    function _assertMap(uint256 u, uint256 x, uint256 y) private view {
        (uint256 mappedX, uint256 mappedY) = HashToCurve.mapToCurve(u);
        vm.assertEq(mappedX, x, "x");
        vm.assertEq(mappedY, y, "y");
    }

    function _assertHash(bytes memory message, bytes memory dst, uint256 x, uint256 y) private view {
        (uint256 hashX, uint256 hashY) = HashToCurve.toPoint(message, dst);
        vm.assertEq(hashX, x, "x");
        vm.assertEq(hashY, y, "y");
    }
}
