/// A condition of a workflow: a boolean expression of the STIX 2.1 patterning grammar over the run's variables.
///
/// One evaluation sees the variables' values and nothing else, so it is one observation: `AND` and `OR` between observations are
/// boolean, while `FOLLOWEDBY`, `WITHIN`, `REPEATS` and `START … STOP` speak of several and are refused when the playbook is read.
/// `MATCHES` is refused as well: it asks for a backtracking engine, and conditions come from outside; `LIKE` serves instead.
package indirect enum Condition: Hashable, Sendable {
    case comparison(Comparison)
    case exists(Path, isNegated: Bool)
    case and(Condition, Condition)
    case or(Condition, Condition)

    package struct Comparison: Hashable, Sendable {
        package var path: Path
        package var isNegated: Bool
        package var operation: Operation
        package var operands: [Operand]
    }

    /// `__name__:value`, with members of a dictionary behind it: `__name__:value.member`.
    package struct Path: Hashable, Sendable {
        package var variable: String
        package var members: [String]
    }

    package enum Operation: String, Hashable, Sendable {
        case equal = "="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case isIn = "IN"
        case like = "LIKE"
        case isSubset = "ISSUBSET"
        case isSuperset = "ISSUPERSET"
    }

    package enum Operand: Hashable, Sendable {
        /// May name variables, whose values stand in for them.
        case text(String)
        case number(Double)
        case bool(Bool)
        case path(Path)
    }

    /// Every variable the condition asks for.
    package var variables: Set<String> {
        switch self {
        case .and(let left, let right), .or(let left, let right): left.variables.union(right.variables)
        case .exists(let path, _): [path.variable]
        case .comparison(let comparison):
            comparison.operands.reduce(into: [comparison.path.variable]) { names, operand in
                switch operand {
                case .path(let path): names.insert(path.variable)
                case .text(let text): names.formUnion(VariableUse.all(in: text).map(\.name))
                case .number, .bool: break
                }
            }
        }
    }
}

/// Why a condition cannot be read.
package struct ConditionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// In UTF-8 bytes from the start.
    package var offset: Int
    package var reason: String

    package var description: String { "at character \(offset + 1): \(reason)" }
}
