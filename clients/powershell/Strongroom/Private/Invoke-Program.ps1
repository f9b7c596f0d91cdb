function Invoke-Program {
    <#
    .SYNOPSIS
    Runs a program to its end: its exit code, and what it said on either stream.
    .NOTES
    Not with the call operator: Windows PowerShell 5.1 turns each line on the error stream into an error of its own.
    #>
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [Parameter(Mandatory = $true)]
        [string] $LiteralPath,

        [Parameter(Mandatory = $true)]
        [string[]] $Argument,

        [string[]] $Environment = @(),

        [int] $TimeoutSeconds = 120
    )

    $start = New-Object -TypeName System.Diagnostics.ProcessStartInfo
    $start.FileName = $LiteralPath
    $start.Arguments = ConvertTo-CommandLine -Word $Argument
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    foreach ($each in $Environment) {
        $name, $setting = $each -split '=', 2
        $start.EnvironmentVariables[$name] = $setting
    }
    $process = [System.Diagnostics.Process]::Start($start)
    try {
        $output = $process.StandardOutput.ReadToEndAsync()
        $errors = $process.StandardError.ReadToEndAsync()
        if (-not $process.WaitForExit($TimeoutSeconds * 1000)) {
            $process.Kill()
            throw (ConvertTo-DriveError -Id 'ProgramTimeout' -Category 'OperationTimeout' -Message (
                    "$LiteralPath did not end within $TimeoutSeconds seconds.") -WayOut 'Try again.')
        }
        [pscustomobject] @{
            ExitCode = $process.ExitCode
            Output   = $output.Result
            Error    = $errors.Result
        }
    }
    finally {
        $process.Dispose()
    }
}
